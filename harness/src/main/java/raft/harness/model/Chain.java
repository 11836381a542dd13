package raft.harness.model;

import org.jspecify.annotations.Nullable;

import raft.harness.history.Value;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * An immutable list to which one can append without copying: a model's state after a thousand
 * appends shares all but one element with the state before.
 */
final class Chain {
    static final Chain EMPTY = new Chain(null, Value.NIL, 0, 1);

    private final @Nullable Chain before;
    private final Value last;
    private final int length;
    private final int hash;

    private Chain(@Nullable Chain before, Value last, int length, int hash) {
        this.before = before;
        this.last = last;
        this.length = length;
        this.hash = hash;
    }

    Chain append(Value value) {
        return new Chain(this, value, length + 1, 31 * hash + value.hashCode());
    }

    int length() {
        return length;
    }

    /** Whether this has exactly these elements in this order. */
    boolean holds(List<Value> values) {
        if (values.size() != length) {
            return false;
        }
        Chain at = this;
        for (int i = length - 1; i >= 0; i--) {
            if (!at.last.equals(values.get(i))) {
                return false;
            }
            at = Objects.requireNonNull(at.before);
        }
        return true;
    }

    List<Value> values() {
        List<Value> values = new ArrayList<>(length);
        for (Chain at = this; at.before != null; at = at.before) {
            values.add(at.last);
        }
        return values.reversed();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        if (!(other instanceof Chain that) || that.hash != hash || that.length != length) {
            return false;
        }
        Chain mine = this;
        Chain theirs = that;
        while (mine != theirs) {
            if (!mine.last.equals(theirs.last)) {
                return false;
            }
            mine = Objects.requireNonNull(mine.before);
            theirs = Objects.requireNonNull(theirs.before);
        }
        return true;
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public String toString() {
        return values().toString();
    }
}
