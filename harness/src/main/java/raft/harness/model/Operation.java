package raft.harness.model;

import raft.harness.history.Value;

/**
 * One client operation as a model sees it: what was asked and what is known of its end.
 *
 * @param process the client, where {@link Model#processMatters}; else 0, so that equal requests of
 *     different clients are equal
 * @param f what was asked: "read", "write", "cas", …
 * @param key the object concerned; NIL where there is only one
 * @param argument the invocation's value
 * @param result the completion's value; NIL unless {@code outcome} is OK
 * @param outcome what is known of its end
 */
public record Operation(
        long process, String f, Value key, Value argument, Value result, Outcome outcome) {

    /** What is known of an operation's end. */
    public enum Outcome {
        /** It took effect and answered {@code result}. */
        OK,
        /**
         * It compared and found something else: a cas that saw another value than the expected one.
         * It changed nothing. (Other failures never reach a model.)
         */
        REFUSED,
        /** No answer is known; if it took effect, then with whatever answer fits. */
        UNKNOWN
    }

    /** Whether {@code expected} fits what was answered; anything fits where no answer is known. */
    public boolean answered(Value expected) {
        return outcome == Outcome.UNKNOWN || result.equals(expected);
    }

    /** The element at {@code index} of the argument, NIL where there is none. */
    public Value argument(int index) {
        return element(argument, index);
    }

    static Value element(Value value, int index) {
        return value instanceof Value.Seq(var values) && index < values.size()
                ? values.get(index)
                : Value.NIL;
    }
}
