package raft.harness.workload;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.Value;
import raft.harness.workload.Generators.Draw;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;

/**
 * The workloads that come with the lab, by name. Each knows the model that its histories are
 * checked against, writes values that are unique in the run, and ends with a final phase.
 */
public final class Workloads {
    private static final Map<String, Entry> NAMED = new LinkedHashMap<>();

    static {
        add(
                "register",
                "reads, writes, compare-and-sets of many registers",
                new WorkloadOptions(5, 200, 20, 0, 0, false),
                Workloads::register);
        add(
                "cas-register",
                "only reads and compare-and-sets, of few registers",
                new WorkloadOptions(2, 200, 20, 0, 0, false),
                Workloads::casRegister);
        add(
                "list-append",
                "appends to lists, and reads of whole lists",
                new WorkloadOptions(3, 100, 20, 0, 0, false),
                Workloads::listAppend);
        add(
                "counter",
                "increments that answer with the total, and reads",
                new WorkloadOptions(3, 100, 20, 0, 0, false),
                Workloads::counter);
        add(
                "set",
                "unique elements; at the end every node is asked for all",
                new WorkloadOptions(2, 200, 10, 0, 0, false),
                Workloads::set);
        add(
                "queue",
                "first in, first out; at the end all queues are emptied",
                new WorkloadOptions(3, 60, 0, 0, 0, false),
                Workloads::queue);
        add(
                "lock",
                "with fencing tokens: one holder at a time",
                new WorkloadOptions(3, 60, 0, 0, 0, false),
                Workloads::lock);
        add(
                "versioned-register",
                "writes and compare-and-sets by version",
                new WorkloadOptions(5, 100, 20, 0, 0, false),
                Workloads::versionedRegister);
        add(
                "retries",
                "appends tried again without an answer: none twice",
                new WorkloadOptions(3, 100, 20, 0, 0, true),
                Workloads::retries);
    }

    /**
     * A workload as asked for on the command line.
     *
     * @param name of the catalogue
     * @param text with its options, as given
     */
    public record Spec(String name, String text, WorkloadOptions options) {
        /** A new one of this kind: the same arguments give the same operations. */
        public Workload make(long seed, int concurrency, double ratePerSecond) {
            if (!(ratePerSecond > 0)) {
                throw new IllegalArgumentException("the rate must be positive");
            }
            return entry(name).maker.make(new Draft(this, seed, concurrency, ratePerSecond));
        }
    }

    private record Entry(String words, WorkloadOptions usual, Maker maker) {}

    @FunctionalInterface
    private interface Maker {
        Workload make(Draft draft);
    }

    private Workloads() {}

    private static void add(String name, String words, WorkloadOptions usual, Maker maker) {
        NAMED.put(name, new Entry(words, usual, maker));
    }

    private static Entry entry(String name) {
        Entry entry = NAMED.get(name);
        if (entry == null) {
            throw new IllegalArgumentException(
                    "no workload is called '"
                            + name
                            + "'; there are "
                            + String.join(", ", NAMED.keySet()));
        }
        return entry;
    }

    /** All names, the usual one first. */
    public static List<String> names() {
        return List.copyOf(NAMED.keySet());
    }

    /**
     * What a workload does, in one line.
     *
     * @throws IllegalArgumentException for a name that is not in {@link #names}
     */
    public static String words(String name) {
        return entry(name).words;
    }

    /**
     * Reads {@code NAME} or {@code NAME:OPTION=VALUE,…}.
     *
     * @throws IllegalArgumentException with one clause that says what there is instead
     */
    public static Spec parse(String text) {
        int colon = text.indexOf(':');
        String name = colon < 0 ? text : text.substring(0, colon);
        WorkloadOptions usual = entry(name).usual;
        return new Spec(name, text, colon < 0 ? usual : usual.with(text.substring(colon + 1)));
    }

    // ---- the catalogue

    private static Workload register(Draft draft) {
        WorkloadOptions options = draft.spec.options();
        int casPercent = Math.min(35, 100 - options.readPercent());
        return registers(draft, "register", casPercent);
    }

    private static Workload casRegister(Draft draft) {
        return registers(draft, "cas-register", 100 - draft.spec.options().readPercent());
    }

    private static Workload registers(Draft draft, String name, int casPercent) {
        WorkloadOptions options = draft.spec.options();
        RegisterWorkload workload =
                new RegisterWorkload(
                        name,
                        draft.seed,
                        draft.concurrency,
                        new RegisterWorkload.Options(
                                draft.ratePerSecond * (options.burstMillis() > 0 ? 2 : 1),
                                options.keys(),
                                options.operationsPerKey(),
                                options.readPercent(),
                                casPercent,
                                options.hotPercent()));
        return options.burstMillis() > 0
                ? new BurstyWorkload(workload, options.burstMillis() * 1_000_000L)
                : workload;
    }

    private static Workload listAppend(Draft draft) {
        return lists(draft, Retry.NEVER);
    }

    private static Workload retries(Draft draft) {
        return lists(draft, draft.spec.options().sessions() ? Retry.IN_SESSION : Retry.BLINDLY);
    }

    private static Workload lists(Draft draft, Retry retry) {
        return draft.readersAndWriters(
                draft.kind("list-append", List.of("read", "append"), false, retry),
                process -> new Operation("append", draft.keys.draw(), draft.fresh()));
    }

    private static Workload counter(Draft draft) {
        return draft.readersAndWriters(
                draft.kind("counter", List.of("read", "increment"), false, Retry.NEVER),
                process ->
                        new Operation(
                                "increment",
                                draft.keys.draw(),
                                Value.of(draft.random.nextInt(1, 6))));
    }

    private static Workload set(Draft draft) {
        return draft.readersAndWriters(
                draft.kind("set", List.of("read", "add"), true, Retry.NEVER),
                process -> new Operation("add", draft.keys.draw(), draft.fresh()));
    }

    /** More goes in than comes out, so that there is something left to be lost. */
    private static Workload queue(Draft draft) {
        // What comes out a second time proves enough, and such a queue may never be empty.
        Set<Value> drained = new HashSet<>();
        Draw draw =
                process ->
                        draft.random.nextInt(100) < 55
                                ? new Operation("enqueue", draft.keys.draw(), draft.fresh())
                                : new Operation("dequeue", draft.keys.draw(), Value.NIL);
        return draft.workload(
                draft.kind("queue", List.of("enqueue", "dequeue"), false, Retry.NEVER),
                Generators.operations(draft.random.split(), draw),
                () -> draft.ofAllKeys("dequeue"),
                ended ->
                        ended.value() instanceof Value.Nil
                                        || !drained.add(Value.of(ended.key(), ended.value()))
                                ? List.of()
                                : List.of(new Operation("dequeue", ended.key(), Value.NIL)));
    }

    private static Workload lock(Draft draft) {
        Locks locks = new Locks(draft.keys, draft.random.split());
        Value last = Value.of("last");
        return draft.workload(
                draft.kind("lock", List.of("acquire", "release"), false, Retry.NEVER),
                locks.around(Generators.operations(draft.random.split(), locks::draw)),
                // Of the others some may be held for ever by clients that died.
                () -> List.of(new Operation("acquire", last, Value.NIL)),
                ended -> List.of());
    }

    private static Workload versionedRegister(Draft draft) {
        Map<Value, Value> newest = new HashMap<>();
        Draw draw =
                process -> {
                    Value key = draft.keys.draw();
                    Value seen = newest.get(key);
                    // The version that was last seen is the only one with a fair chance.
                    return seen instanceof Value.Seq(List<Value> pair)
                                    && draft.random.nextInt(100) < 50
                            ? new Operation(
                                    "cas",
                                    key,
                                    Value.of(
                                            pair.getFirst(),
                                            Value.of(pair.getLast(), draft.fresh())))
                            : new Operation("write", key, Value.of(Value.NIL, draft.fresh()));
                };
        GeneratedWorkload.Kind kind =
                draft.kind(
                        "versioned-register", List.of("read", "write", "cas"), false, Retry.NEVER);
        Value unknown = Value.of(Value.NIL, Value.NIL);
        Generator generator = draft.readersBeside(draw, unknown);
        Generator watching =
                new Generator() {
                    @Override
                    public Step next(Context context) {
                        return generator.next(context);
                    }

                    @Override
                    public void completed(HistoryEvent completion) {
                        if (completion.type() == Type.OK && !completion.f().equals("cas")) {
                            newest.put(completion.key(), completion.value());
                        }
                    }
                };
        return draft.workload(
                kind,
                watching,
                () ->
                        draft.keys.all().stream()
                                .map(key -> new Operation("read", key, unknown))
                                .toList(),
                ended -> List.of());
    }

    /** What all of them are made of. */
    private static final class Draft {
        final Spec spec;
        final long seed;
        final int concurrency;
        final double ratePerSecond;
        final SplittableRandom random;
        final ActiveKeys keys;
        private long writtenCount;

        Draft(Spec spec, long seed, int concurrency, double ratePerSecond) {
            this.spec = spec;
            this.seed = seed;
            this.concurrency = concurrency;
            this.ratePerSecond = ratePerSecond;
            this.random = new SplittableRandom(seed);
            WorkloadOptions options = spec.options();
            this.keys =
                    new ActiveKeys(
                            random.split(),
                            options.keys(),
                            options.operationsPerKey(),
                            options.hotPercent());
        }

        /** A value that nobody wrote before. */
        Value fresh() {
            return Value.of(++writtenCount);
        }

        GeneratedWorkload.Kind kind(
                String model, List<String> functions, boolean readByEveryNode, Retry retry) {
            return new GeneratedWorkload.Kind(
                    spec.name(), model, functions, readByEveryNode, retry);
        }

        Workload readersAndWriters(GeneratedWorkload.Kind kind, Draw write) {
            return workload(
                    kind,
                    readersBeside(write, Value.NIL),
                    () -> ofAllKeys("read"),
                    ended -> List.of());
        }

        /**
         * A third of the threads only read: those that write soon hang in writes to a leader that
         * was cut off, and nobody would be left to ask it for what it may be so wrong as to tell.
         */
        Generator readersBeside(Draw write, Value readValue) {
            Draw read = process -> new Operation("read", keys.draw(), readValue);
            Draw either =
                    process ->
                            random.nextInt(100) < spec.options().readPercent()
                                    ? read.forProcess(process)
                                    : write.forProcess(process);
            return Generators.reserve(
                    concurrency / 3,
                    random.split(),
                    Generators.operations(random.split(), read),
                    Generators.operations(random.split(), either));
        }

        Workload workload(
                GeneratedWorkload.Kind kind,
                Generator generator,
                java.util.function.Supplier<List<Operation>> finals,
                Function<HistoryEvent, List<Operation>> continuation) {
            long burstNanos = spec.options().burstMillis() * 1_000_000L;
            double rate = ratePerSecond * (burstNanos > 0 ? 2 : 1);
            Generator paced = Generators.stagger((long) (1e9 / rate), random.split(), generator);
            return new GeneratedWorkload(
                    kind,
                    concurrency,
                    burstNanos > 0 ? Generators.bursts(burstNanos, burstNanos, paced) : paced,
                    finals,
                    continuation);
        }

        List<Operation> ofAllKeys(String f) {
            List<Operation> operations = new ArrayList<>();
            keys.all().forEach(key -> operations.add(new Operation(f, key, Value.NIL)));
            return operations;
        }
    }
}
