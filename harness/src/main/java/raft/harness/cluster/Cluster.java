package raft.harness.cluster;

import org.jspecify.annotations.Nullable;

import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultKind;

import java.util.List;
import java.util.Map;

/**
 * A system under test. Owned and called by one thread, the interpreter's; nothing here blocks but
 * {@link #poll}, {@link #healAll} and {@link #close}. A simulated cluster advances its virtual time
 * inside {@code poll}.
 */
public interface Cluster extends AutoCloseable {
    /** "docker" or "sim". */
    String kind();

    /** The members' names, sorted. */
    List<String> nodes();

    /**
     * Nodes that run beside the members and can be made members by faults of membership, sorted.
     */
    default List<String> spares() {
        return List.of();
    }

    /** The run's one clock: monotonic, 0 near the start. */
    long nowNanos();

    /**
     * The wall clock that the nodes' logs bear, milliseconds since 1970; simulated in virtual time.
     */
    default long utcMillis() {
        return System.currentTimeMillis();
    }

    /**
     * The kinds of fault that cannot be had here, each with the reason in one clause, "not
     * supported by this kernel" say. Injecting one all the same is answered as skipped.
     */
    default Map<FaultKind, String> impossible() {
        return Map.of();
    }

    /** Starts a client operation; ends as one {@link Completion.Operation}. */
    void invoke(Invocation invocation);

    /**
     * Puts a fault into effect; ends as one {@link Completion.FaultChange} with {@code injected}
     * true.
     */
    void inject(ActiveFault fault);

    /**
     * Takes one fault back and proves it gone; ends as one {@link Completion.FaultChange} with
     * {@code injected} false.
     */
    void heal(ActiveFault fault);

    /**
     * Asks every node for its status; ends as one {@link Completion.Observation}, also when nodes
     * hang.
     */
    void observe();

    /** The next completion, or null when {@code deadlineNanos} of {@link #nowNanos} comes first. */
    @Nullable Completion poll(long deadlineNanos) throws InterruptedException;

    /** Removes every fault of this run, whatever it was, starts stopped nodes. Idempotent. */
    void healAll();

    /**
     * Nodes that were found to have ended by themselves although no fault that could end them ever
     * reached them, each in one sentence; complete after {@link #healAll}.
     */
    default List<String> crashes() {
        return List.of();
    }

    /** Ends the cluster and leaves nothing behind. */
    @Override
    void close();
}
