package raft.harness.sim.travel;

import raft.harness.cluster.Invocation;
import raft.harness.nemesis.ActiveFault;

/**
 * Something that came from outside the simulated world, and between which events it came.
 *
 * @param afterEvent how many events had happened
 * @param timeNanos what the virtual clock showed
 * @param byHand a person's, as opposed to the loaded run's
 * @param words as the person typed it, "" for the loaded run's
 */
public record Decision(long afterEvent, long timeNanos, boolean byHand, String words, Act act) {
    /** What was decided. */
    public sealed interface Act {
        record Invoke(Invocation invocation) implements Act {}

        record Inject(ActiveFault fault) implements Act {}

        record Heal(ActiveFault fault) implements Act {}

        record HealAll() implements Act {}

        record Observe() implements Act {}

        /** Now instead of later. */
        record Hasten(long sequence) implements Act {}

        record Drop(long sequence) implements Act {}

        record Duplicate(long sequence) implements Act {}

        record Delay(long sequence, long nanos) implements Act {}

        record FailSync(long sequence, ActiveFault fault) implements Act {}
    }
}
