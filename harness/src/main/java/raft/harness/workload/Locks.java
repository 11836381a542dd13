package raft.harness.workload;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.Value;

import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Who holds which lock: a process that holds one gives it back, one that holds none tries to take
 * one. Now and then one that holds none tries to give back what another took, or one that holds one
 * names the token by which it was held before, which must fail.
 *
 * <p>A lock whose taking or giving back ended without an answer may be held for ever by a client
 * that is gone; no one tries to take it any more.
 */
final class Locks {
    private static final int STRAY_PERCENT = 10;

    private final ActiveKeys keys;
    private final SplittableRandom random;
    private final Map<Long, Held> heldBy = new HashMap<>();
    private final Map<Value, Value> newestTokens = new HashMap<>();
    private final Map<Value, Value> earlierTokens = new HashMap<>();

    private record Held(Value key, Value token) {}

    Locks(ActiveKeys keys, SplittableRandom random) {
        this.keys = keys;
        this.random = random;
    }

    Operation draw(long process) {
        Held held = heldBy.get(process);
        if (held != null) {
            Value earlier = earlierTokens.get(held.key);
            return earlier != null && random.nextInt(100) < STRAY_PERCENT
                    ? new Operation("release", held.key, earlier)
                    : new Operation("release", held.key, held.token);
        }
        Value key = keys.draw();
        Value token = newestTokens.get(key);
        return token != null && random.nextInt(100) < STRAY_PERCENT
                ? new Operation("release", key, token)
                : new Operation("acquire", key, Value.NIL);
    }

    /** The generator, with its completions told to this. */
    Generator around(Generator generator) {
        return new Generator() {
            @Override
            public Step next(Context context) {
                return generator.next(context);
            }

            @Override
            public void completed(HistoryEvent completion) {
                Locks.this.completed(completion);
            }
        };
    }

    private void completed(HistoryEvent completion) {
        long process = completion.process();
        if (completion.type() == Type.INFO) {
            heldBy.remove(process);
            keys.retire(completion.key());
        } else if (completion.type() == Type.OK) {
            if (completion.f().equals("acquire")) {
                heldBy.put(process, new Held(completion.key(), completion.value()));
                Value before = newestTokens.put(completion.key(), completion.value());
                if (before != null) {
                    earlierTokens.put(completion.key(), before);
                }
            } else {
                heldBy.remove(process);
            }
        }
    }
}
