package raft.harness.checker;

import org.jspecify.annotations.Nullable;

/** The end of a linearization: an operation after those placed before it. */
record Placed(int operation, @Nullable Placed before) {
    static int[] order(@Nullable Placed last) {
        int count = 0;
        for (Placed at = last; at != null; at = at.before) {
            count++;
        }
        int[] order = new int[count];
        for (Placed at = last; at != null; at = at.before) {
            order[--count] = at.operation;
        }
        return order;
    }
}
