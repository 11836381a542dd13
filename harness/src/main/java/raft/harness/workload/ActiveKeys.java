package raft.harness.workload;

import raft.harness.history.Value;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The keys in use: few at a time, so that clients really meet on them; after some operations a key
 * is left alone and a new one takes its place, so that each key's history stays short enough to be
 * judged.
 */
final class ActiveKeys {
    private final SplittableRandom random;
    private final int operationsPerKey;
    private final int hotPercent;
    private final List<Key> active = new ArrayList<>();
    private long keyCount;

    private record Key(long number, int operationsLeft) {}

    /**
     * @param hotPercent of the draws go to the first key in use; the others, and it too, share the
     *     rest
     */
    ActiveKeys(SplittableRandom random, int activeCount, int operationsPerKey, int hotPercent) {
        this.random = random;
        this.operationsPerKey = operationsPerKey;
        this.hotPercent = hotPercent;
        for (int i = 0; i < activeCount; i++) {
            active.add(fresh());
        }
    }

    /** The key of the next operation. */
    Value draw() {
        boolean hot = hotPercent > 0 && random.nextInt(100) < hotPercent;
        int slot = hot ? 0 : random.nextInt(active.size());
        Key chosen = active.get(slot);
        active.set(
                slot,
                chosen.operationsLeft > 1
                        ? new Key(chosen.number, chosen.operationsLeft - 1)
                        : fresh());
        return Value.of(chosen.number);
    }

    /** Gives up a key before its time. */
    void retire(Value key) {
        active.replaceAll(known -> Value.of(known.number).equals(key) ? fresh() : known);
    }

    /** All keys that were ever in use, those that nobody drew yet included. */
    List<Value> all() {
        List<Value> keys = new ArrayList<>();
        for (long key = 0; key < keyCount; key++) {
            keys.add(Value.of(key));
        }
        return keys;
    }

    private Key fresh() {
        return new Key(keyCount++, operationsPerKey);
    }
}
