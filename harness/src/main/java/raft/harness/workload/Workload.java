package raft.harness.workload;

import raft.harness.history.HistoryEvent;

import java.util.List;

/**
 * Decides what clients do. A function of virtual time, free processes, its seed and what it was
 * told of completions: the same calls give the same operations, so it can be tested without
 * waiting. One thread owns it.
 */
public interface Workload {
    /** Its name on the command line and in headers. */
    String name();

    /** The name of the model that its histories are checked against. */
    String model();

    /**
     * The kinds of operation that it issues; each must succeed at least once for a run to count.
     */
    List<String> functions();

    /**
     * What to do at {@code nowNanos} since the workload's start.
     *
     * @param freeProcesses processes with nothing outstanding, ascending, perhaps none
     */
    Next next(long nowNanos, List<Long> freeProcesses);

    /** Tells what came of an operation, so that later ones can build on it. */
    void completed(HistoryEvent completion);

    /**
     * The operations of the final phase, after all faults are gone: read everything that was ever
     * written.
     */
    List<Operation> finalOperations();

    /**
     * What a success of the final phase makes necessary: taking the next element of a queue, say.
     */
    default List<Operation> finalContinuation(HistoryEvent completion) {
        return List.of();
    }

    /** What is done in the final phase after {@code tried} ended without anybody knowing how. */
    default Operation finalAgain(Operation tried) {
        return tried;
    }

    /** Whether each final operation is done once by a client of every node, or once at all. */
    default boolean finalPhaseAsksEveryNode() {
        return false;
    }

    /** What clients do about operations whose end they do not know. */
    default Retry retry() {
        return Retry.NEVER;
    }

    /** A generator's answer. */
    sealed interface Next {
        /** Let {@code process}, one of the free ones, do this now. */
        record Do(long process, Operation operation) implements Next {}

        /** Nothing before {@code nanos}, or before a process becomes free. */
        record WaitUntil(long nanos) implements Next {}
    }
}
