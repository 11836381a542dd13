package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryHeader;
import raft.harness.history.Value;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Generates register histories of real executions, for benchmarks and tests: a discrete-event
 * simulation of clients, each operation taking effect at a random moment between its invocation and
 * its completion. The same shape gives the same history everywhere (SplitMix64).
 */
public final class HistoryGenerator {
    private static final long TIMEOUT_NANOS = 2_000_000;
    private static final double READ_SHARE = 0.5;
    private static final double WRITE_SHARE = 0.25;

    /**
     * What to generate.
     *
     * @param operationCount invocations in all, positive
     * @param concurrency processes at any time, positive
     * @param keyCount independent registers, positive
     * @param valueCount values to write from, or 0 for values that are all different
     * @param crashShare probability that an operation never returns, 0 … 1
     * @param staleAt a share of the history after which one read is made stale, or a negative
     *     number for none; only with unique values
     */
    public record Shape(
            long seed,
            int operationCount,
            int concurrency,
            int keyCount,
            int valueCount,
            double crashShare,
            double staleAt) {}

    private enum What {
        START,
        EFFECT,
        RETURN
    }

    private record Event(long time, long sequence, What what, long process, @Nullable Op op) {}

    private static final class Op {
        final int number;
        final int key;
        final String f;
        final long expected;
        final long written;
        int invokedAt;
        int returnedAt = Integer.MAX_VALUE;
        long seen;
        boolean refused;

        Op(int number, int key, String f, long expected, long written) {
            this.number = number;
            this.key = key;
            this.f = f;
            this.expected = expected;
            this.written = written;
        }
    }

    private final Shape shape;
    private long randomState;
    private final PriorityQueue<Event> queue =
            new PriorityQueue<>(
                    (a, b) ->
                            a.time() != b.time()
                                    ? Long.compare(a.time(), b.time())
                                    : Long.compare(a.sequence(), b.sequence()));
    private final List<HistoryEvent> events = new ArrayList<>();
    private final long[] current;
    private final long[] before;
    private final List<List<Op>> installers = new ArrayList<>();
    private long sequence;
    private long nextValue = 1;
    private long nextProcess;
    private int started;
    private boolean staleDone;

    private HistoryGenerator(Shape shape) {
        this.shape = shape;
        randomState = shape.seed();
        current = new long[shape.keyCount()];
        before = new long[shape.keyCount()];
        for (int i = 0; i < shape.keyCount(); i++) {
            installers.add(new ArrayList<>());
        }
        staleDone = shape.staleAt() < 0 || shape.valueCount() > 0;
    }

    /** Generated crashed operations have no end; here their clients give up after some time. */
    public static List<HistoryEvent> withTimeouts(List<HistoryEvent> events) {
        Map<Long, HistoryEvent> last = new HashMap<>();
        events.forEach(e -> last.put(e.process(), e));
        Deque<HistoryEvent> waiting = new ArrayDeque<>();
        List<HistoryEvent> all = new ArrayList<>();
        for (HistoryEvent event : events) {
            while (!waiting.isEmpty()
                    && event.timeNanos() - waiting.getFirst().timeNanos() > TIMEOUT_NANOS) {
                HistoryEvent call = waiting.removeFirst();
                all.add(
                        new HistoryEvent(
                                call.index(),
                                event.timeNanos(),
                                call.process(),
                                HistoryEvent.Type.INFO,
                                call.f(),
                                call.key(),
                                call.value(),
                                null,
                                "timeout",
                                0,
                                0));
            }
            all.add(event);
            if (event.type() == HistoryEvent.Type.INVOKE
                    && event.equals(last.get(event.process()))) {
                waiting.addLast(event);
            }
        }
        return all;
    }

    /** Generates one history. */
    public static History generate(Shape shape) {
        var generator = new HistoryGenerator(shape);
        generator.run();
        var header =
                new HistoryHeader(
                        HistoryHeader.SCHEMA,
                        "generated",
                        "register",
                        "cas-register",
                        List.of(),
                        shape.seed());
        return new History(header, generator.events);
    }

    /** SplitMix64. */
    private long next() {
        randomState += 0x9E3779B97F4A7C15L;
        long z = randomState;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    private int below(int bound) {
        return (int) Long.remainderUnsigned(next(), bound);
    }

    private double uniform() {
        return (next() >>> 11) * 0x1.0p-53;
    }

    private void run() {
        for (int i = 0; i < shape.concurrency(); i++) {
            schedule(below(1000), What.START, nextProcess++, null);
        }
        for (Event event = queue.poll(); event != null; event = queue.poll()) {
            switch (event.what()) {
                case START -> invoke(event.time(), event.process());
                case EFFECT -> takeEffect(op(event));
                case RETURN -> complete(event.time(), event.process(), op(event));
            }
        }
    }

    private static Op op(Event event) {
        Op op = event.op();
        if (op == null) {
            throw new IllegalStateException("an event without its operation: " + event);
        }
        return op;
    }

    private void schedule(long time, What what, long process, @Nullable Op op) {
        queue.add(new Event(time, sequence++, what, process, op));
    }

    private void invoke(long now, long process) {
        if (started == shape.operationCount()) {
            return;
        }
        int key = shape.keyCount() == 1 ? 0 : below(shape.keyCount());
        double kind = uniform();
        Op op;
        if (kind < READ_SHARE) {
            op = new Op(started, key, "read", 0, 0);
        } else if (kind < READ_SHARE + WRITE_SHARE) {
            op = new Op(started, key, "write", 0, newValue());
        } else if (shape.valueCount() == 0) {
            long expected = below(4) < 3 ? current[key] : before[key];
            op = new Op(started, key, "cas", expected, newValue());
        } else {
            op = new Op(started, key, "cas", newValue(), newValue());
        }
        started++;
        op.invokedAt = events.size();
        add(now, process, HistoryEvent.Type.INVOKE, op, asked(op), null);
        int duration = 100 + below(1800);
        if (uniform() >= shape.crashShare()) {
            schedule(now + 1 + below(duration - 1), What.EFFECT, process, op);
            schedule(now + duration, What.RETURN, process, op);
        } else {
            if (uniform() < 0.5) {
                schedule(now + 1 + below(20_000), What.EFFECT, process, op);
            }
            schedule(now + duration, What.START, nextProcess++, null);
        }
    }

    private long newValue() {
        return shape.valueCount() == 0 ? nextValue++ : 1 + below(shape.valueCount());
    }

    private void takeEffect(Op op) {
        switch (op.f) {
            case "read" -> op.seen = current[op.key];
            case "write" -> install(op);
            default -> {
                op.refused = current[op.key] != op.expected;
                if (!op.refused) {
                    install(op);
                }
            }
        }
    }

    private void install(Op op) {
        before[op.key] = current[op.key];
        current[op.key] = op.written;
        if (!staleDone) {
            installers.get(op.key).add(op);
        }
    }

    private void complete(long now, long process, Op op) {
        op.returnedAt = events.size();
        if (op.f.equals("read")) {
            long stale =
                    staleDone || op.number < shape.staleAt() * shape.operationCount()
                            ? 0
                            : staleValue(op);
            staleDone |= stale != 0;
            long seen = stale != 0 ? stale : op.seen;
            add(now, process, HistoryEvent.Type.OK, op, value(seen), null);
        } else if (op.refused) {
            add(now, process, HistoryEvent.Type.FAIL, op, asked(op), Preparation.REFUSED);
        } else {
            add(now, process, HistoryEvent.Type.OK, op, asked(op), null);
        }
        schedule(now + 1 + below(1000), What.START, process, null);
    }

    /**
     * The newest value whose installer returned before a later installer was called that itself
     * returned before this read was called; 0 where there is none.
     */
    private long staleValue(Op read) {
        List<Op> all = installers.get(read.key);
        int latestCall = -1;
        for (int i = all.size() - 1; i >= 0; i--) {
            Op op = all.get(i);
            if (op.returnedAt < latestCall) {
                return op.written;
            }
            if (op.returnedAt < read.invokedAt) {
                latestCall = Math.max(latestCall, op.invokedAt);
            }
        }
        return 0;
    }

    private static Value value(long number) {
        return number == 0 ? Value.NIL : Value.of(number);
    }

    private static Value asked(Op op) {
        return switch (op.f) {
            case "read" -> Value.NIL;
            case "write" -> value(op.written);
            default -> Value.of(value(op.expected), value(op.written));
        };
    }

    private void add(
            long now,
            long process,
            HistoryEvent.Type type,
            Op op,
            Value value,
            @Nullable String error) {
        Value key = shape.keyCount() == 1 ? Value.NIL : Value.of(op.key);
        events.add(
                new HistoryEvent(
                        events.size(),
                        now * 1000,
                        process,
                        type,
                        op.f,
                        key,
                        value,
                        null,
                        error,
                        0,
                        0));
    }
}
