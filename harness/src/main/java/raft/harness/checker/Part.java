package raft.harness.checker;

import raft.harness.history.Value;

/**
 * The operations of a history that must be judged together, as arrays. Operations are numbered in
 * the order of their invocations. Failed operations and reads without an answer are not in it.
 *
 * @param name what the operations have in common, a key say; NIL where the model is not split
 * @param events one entry for each invocation and each completion in order: the operation's number
 *     × 2, + 1 for a completion
 * @param invocations for each operation the place of its invocation in the history's events
 * @param completions for each operation the place of its completion, or -1 where it crashed: it may
 *     have taken effect, now or later or never
 */
// A bundle of arrays that is never compared.
@SuppressWarnings("ArrayRecordComponent")
record Part(Value name, int[] events, int[] invocations, int[] completions) {
    int operationCount() {
        return invocations.length;
    }

    boolean crashed(int operation) {
        return completions[operation] < 0;
    }
}
