package raft.core;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * What has been handed to the disk, what is known to be on it, and the messages that must wait for
 * it.
 *
 * <p>Every message that carries a promise — a vote, a request for votes, an acknowledgement —
 * leaves only once what it promises would survive a crash (§5.1, thesis §3.8). The disk is one
 * stream, so "up to ticket t" covers everything handed over before.
 */
final class Durability {
    private final RaftLog log;
    private final List<LogWrite> writes = new ArrayList<>();
    private final ArrayDeque<Issued> outstanding = new ArrayDeque<>();
    private final ArrayDeque<Held> held = new ArrayDeque<>();
    private long issuedTicket;
    private long persistedTicket;
    private long hardStateTicket;
    private long logTicket;
    private long durableIndex;

    /**
     * The same found in a second way, as a check: by how far truncations reach instead of by terms.
     * May be ahead of the first.
     */
    private long certainIndex;

    private long silentSinceNanos;

    Durability(RaftLog log) {
        this.log = log;
        this.durableIndex = log.lastIndex();
        this.certainIndex = log.lastIndex();
    }

    void writeHardState(LogWrite.HardState hardState) {
        writes.add(hardState);
        hardStateTicket = issuedTicket + 1;
    }

    void writeEntries(List<Entry> entries) {
        writes.add(new LogWrite.Append(entries));
        logTicket = issuedTicket + 1;
    }

    void writeTruncation(long fromIndex) {
        writes.add(new LogWrite.Truncate(fromIndex));
        logTicket = issuedTicket + 1;
        durableIndex = Math.min(durableIndex, fromIndex - 1);
        certainIndex = Math.min(certainIndex, fromIndex - 1);
        for (Issued issued : outstanding) {
            issued.certainIndex = Math.min(issued.certainIndex, fromIndex - 1);
        }
    }

    /**
     * The log now begins behind a durable snapshot; a log that does not hold its last entry is void
     * (§7).
     */
    void writeStart(long index, long term, boolean keepsSuffix) {
        writes.add(new LogWrite.StartAfter(index, term, keepsSuffix));
        logTicket = issuedTicket + 1;
        durableIndex = keepsSuffix ? Math.max(durableIndex, index) : index;
        certainIndex = keepsSuffix ? Math.max(certainIndex, index) : index;
        if (!keepsSuffix) {
            outstanding.forEach(issued -> issued.certainIndex = index);
        }
    }

    /** Sends {@code message} when the current term and vote are durable. */
    void sendAfterHardState(NodeId to, Message message) {
        held.addLast(new Held(hardStateTicket, to, message));
    }

    /** Sends {@code message} when the current term, vote and log are durable. */
    void sendAfterLog(NodeId to, Message message) {
        held.addLast(new Held(Math.max(hardStateTicket, logTicket), to, message));
    }

    /** Turns the writes collected since the last call into one effect. */
    void issue(long nowNanos, List<Effect> effects) {
        if (writes.isEmpty()) {
            return;
        }
        if (outstanding.isEmpty()) {
            silentSinceNanos = nowNanos;
        }
        issuedTicket++;
        outstanding.addLast(new Issued(issuedTicket, log.lastIndex(), log.lastTerm()));
        effects.add(new Effect.Persist(issuedTicket, writes));
        writes.clear();
    }

    /**
     * Notes that everything up to {@code ticket} is durable.
     *
     * <p>The index that becomes durable is the one that was last when the write was issued, and
     * only if the log still holds that entry: after a change of leader another entry may stand
     * there which is not on the disk yet.
     */
    void persisted(long ticket, long nowNanos) {
        silentSinceNanos = nowNanos;
        if (ticket > issuedTicket) {
            throw new IllegalStateException(
                    "durability: ticket "
                            + ticket
                            + " was never issued; the last was "
                            + issuedTicket);
        }
        persistedTicket = Math.max(persistedTicket, ticket);
        while (!outstanding.isEmpty() && outstanding.peekFirst().ticket <= persistedTicket) {
            Issued issued = outstanding.removeFirst();
            if (log.matches(issued.lastIndex, issued.lastTerm)) {
                durableIndex = Math.max(durableIndex, issued.lastIndex);
            }
            certainIndex = Math.max(certainIndex, issued.certainIndex);
        }
        if (durableIndex > certainIndex) {
            throw new IllegalStateException(
                    "durability: index "
                            + durableIndex
                            + " is taken for durable, but the disk has only been told of "
                            + certainIndex);
        }
    }

    /**
     * Lets go of messages whose promise is durable; those of an earlier term have lost their
     * meaning and are dropped.
     */
    void release(long currentTerm, List<Effect> effects) {
        for (var waiting = held.iterator(); waiting.hasNext(); ) {
            Held next = waiting.next();
            if (next.ticket <= persistedTicket) {
                waiting.remove();
                if (next.message.term() == currentTerm) {
                    checkIsDurable(next.message);
                    effects.add(new Effect.Send(next.to, next.message));
                }
            }
        }
    }

    /** No acknowledgement beyond what is durable when it is sent. */
    private void checkIsDurable(Message message) {
        if (message instanceof Message.AppendAccepted(long ignored, long index)
                && index > certainIndex) {
            throw new IllegalStateException(
                    "durability: about to acknowledge index "
                            + index
                            + ", but only "
                            + certainIndex
                            + " is durable");
        }
    }

    /** For how long writes have waited without any answer of the disk; 0 where none waits. */
    long silentNanos(long nowNanos) {
        return outstanding.isEmpty() ? 0 : nowNanos - silentSinceNanos;
    }

    boolean isHardStateDurable() {
        return hardStateTicket <= persistedTicket;
    }

    /** Greatest index up to which this node's log is on its disk. */
    long durableIndex() {
        return durableIndex;
    }

    private static final class Issued {
        final long ticket;
        final long lastIndex;
        final long lastTerm;

        /** Of lastIndex, what no later truncation has made void. */
        long certainIndex;

        Issued(long ticket, long lastIndex, long lastTerm) {
            this.ticket = ticket;
            this.lastIndex = lastIndex;
            this.lastTerm = lastTerm;
            this.certainIndex = lastIndex;
        }
    }

    private record Held(long ticket, NodeId to, Message message) {}
}
