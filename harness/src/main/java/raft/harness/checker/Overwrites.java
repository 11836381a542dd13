package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.history.Value;
import raft.harness.model.Operation;

import java.util.Arrays;
import java.util.Objects;

/**
 * For registers, which are fed with operations in order: until when somebody may have written a
 * value. Where all who wrote it had ended before a later change began, and that change had ended
 * before an operation began, this one cannot have seen the value: every order has the change
 * between them.
 *
 * <p>Of a value only its place in a table is kept, whose size has a limit. Values that share a
 * place are taken for one, which only makes it say less.
 */
final class Overwrites {
    private static final int PLACES_FIRST = 1 << 10;
    private static final int PLACES_MOST = 1 << 18;

    /** Of those that wrote a value and have ended, the latest end; 0 where there is none. */
    private long[] lastEnd = new long[PLACES_FIRST];

    /** How many that write a value have not ended; those that crashed never do. */
    private int[] open = new int[PLACES_FIRST];

    private long writtenCount;

    /** An operation begins that may take effect; one that crashes is never said to have ended. */
    void began(Value part, Operation operation) {
        Value written = written(operation);
        if (written != null) {
            if (++writtenCount > open.length / 4 && open.length < PLACES_MOST) {
                grow();
            }
            open[place(part, written)]++;
        }
    }

    /**
     * It ended, at a place among all events.
     *
     * @return whether it has changed the value
     */
    boolean ended(Value part, Operation operation, long at) {
        Value written = written(operation);
        if (written == null) {
            return false;
        }
        int place = place(part, written);
        open[place]--;
        lastEnd[place] = Math.max(lastEnd[place], at + 1);
        return true;
    }

    /** Whether all who wrote a value had ended before a change of it began. */
    boolean gone(Value part, Value value, long changeBegan) {
        int place = place(part, value);
        return open[place] == 0 && lastEnd[place] <= changeBegan;
    }

    /** Both places that one becomes have what it had; for one of them that is too much. */
    private void grow() {
        int before = open.length;
        open = Arrays.copyOf(open, before * 2);
        System.arraycopy(open, 0, open, before, before);
        lastEnd = Arrays.copyOf(lastEnd, before * 2);
        System.arraycopy(lastEnd, 0, lastEnd, before, before);
    }

    private int place(Value part, Value value) {
        int hash = Objects.hash(part, value) * 0x9e3779b9;
        return (hash ^ hash >>> 16) & open.length - 1;
    }

    /** What an operation may leave behind, or null. */
    private static @Nullable Value written(Operation operation) {
        return switch (operation.f()) {
            case "write" -> operation.argument();
            case "cas" ->
                    operation.outcome() == Operation.Outcome.REFUSED ? null : operation.argument(1);
            default -> null;
        };
    }

    /** What a completed operation must have found, or null. */
    static @Nullable Value seen(Operation operation) {
        if (operation.outcome() != Operation.Outcome.OK) {
            return null;
        }
        return switch (operation.f()) {
            case "read" -> operation.result();
            case "cas" -> operation.argument(0);
            default -> null;
        };
    }
}
