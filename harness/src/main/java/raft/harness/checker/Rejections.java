package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Outcome.Impossible;

import java.util.Arrays;
import java.util.List;

/**
 * Contradictions in a register's history that need no search: a value that nobody wrote, or wrote
 * only afterwards, or that had been overwritten for good before it was read. Each is sound whether
 * values are unique or not.
 */
final class Rejections {
    private Rejections() {}

    /** The earliest such contradiction, or null. */
    static @Nullable Outcome of(RegisterPart part) {
        int[] events = part.part().events();
        int valueCount = part.values().size();
        // For each value the invoked producer that ends last; the initial value's ended long ago.
        int[] lastEnding = new int[valueCount];
        Arrays.fill(lastEnding, NONE);
        // Of the completed producers the one that was invoked last, and the last of another value.
        int latest = NONE;
        int latestOther = NONE;
        // What had been completed when an operation was invoked.
        int[] latestAtCall = new int[part.operationCount()];
        for (int event : events) {
            int operation = event >> 1;
            int produced = part.produced(operation);
            if ((event & 1) == 0) {
                if (produced >= 0
                        && (lastEnding[produced] == NONE
                                || part.returns()[operation]
                                        > part.returns()[lastEnding[produced]])) {
                    lastEnding[produced] = operation;
                }
                int needed = part.needed(operation);
                latestAtCall[operation] =
                        latest != NONE && part.produced(latest) == needed ? latestOther : latest;
            } else {
                int needed = part.needed(operation);
                if (needed >= 0) {
                    Outcome outcome =
                            rejected(part, operation, lastEnding[needed], latestAtCall[operation]);
                    if (outcome != null) {
                        return outcome;
                    }
                }
                if (produced >= 0 && later(part, operation, latest)) {
                    if (latest != NONE && part.produced(latest) != produced) {
                        latestOther = latest;
                    }
                    latest = operation;
                } else if (produced >= 0
                        && part.produced(latest) != produced
                        && later(part, operation, latestOther)) {
                    latestOther = operation;
                }
            }
        }
        return null;
    }

    private static final int NONE = -1;

    private static boolean later(RegisterPart part, int operation, int than) {
        return than == NONE || part.calls()[operation] > part.calls()[than];
    }

    private static @Nullable Outcome rejected(
            RegisterPart part, int operation, int producer, int overwriter) {
        boolean initial = part.first()[operation] == 0;
        int at = part.returns()[operation];
        if (producer == NONE && !initial) {
            boolean ever = false;
            for (int i = 0; i < part.operationCount(); i++) {
                ever |= part.produced(i) == part.first()[operation];
            }
            return new Impossible(
                    at,
                    ever ? "was written only later" : "was never written",
                    new int[] {operation},
                    List.of());
        }
        boolean crashedOrOpen = producer != NONE && part.crashed(producer);
        if (overwriter == NONE || crashedOrOpen) {
            return null;
        }
        if (producer == operation) {
            return null;
        }
        if (producer == NONE || part.returns()[producer] < part.calls()[overwriter]) {
            return new Impossible(
                    at,
                    "had been overwritten",
                    new int[] {operation, producer, overwriter},
                    List.of());
        }
        return null;
    }
}
