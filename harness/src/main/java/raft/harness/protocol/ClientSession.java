package raft.harness.protocol;

/**
 * What one process knows of its session with the store. One operation at a time, so whatever was
 * asked before the present one has its answer: the lowest open number is always the present one.
 */
public final class ClientSession {
    private long id;
    private long lastSequence;

    boolean isOpen() {
        return id != 0;
    }

    long id() {
        return id;
    }

    void opened(long newId) {
        id = newId;
        lastSequence = 0;
    }

    void lost() {
        id = 0;
    }

    long nextSequence() {
        return ++lastSequence;
    }
}
