package raft.harness.workload;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.Value;

import java.util.HashMap;
import java.util.Map;

/**
 * Who holds which lock: a process that holds one gives it back, one that holds none tries to take
 * one.
 *
 * <p>A lock whose taking or giving back ended without an answer may be held for ever by a client
 * that is gone; no one tries to take it any more.
 */
final class Locks {
    private final ActiveKeys keys;
    private final Map<Long, Held> heldBy = new HashMap<>();

    private record Held(Value key, Value token) {}

    Locks(ActiveKeys keys) {
        this.keys = keys;
    }

    Operation draw(long process) {
        Held held = heldBy.get(process);
        return held == null
                ? new Operation("acquire", keys.draw(), Value.NIL)
                : new Operation("release", held.key, held.token);
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
            } else {
                heldBy.remove(process);
            }
        }
    }
}
