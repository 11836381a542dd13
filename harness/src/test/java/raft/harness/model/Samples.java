package raft.harness.model;

import org.jspecify.annotations.Nullable;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Small random histories for every model: a real execution whose answers are sometimes falsified,
 * so that valid and impossible ones are about equally frequent.
 */
public final class Samples {
    private final Model model;
    private final SplittableRandom random;
    private final List<HistoryEvent> events = new ArrayList<>();
    private final boolean unique;
    private final int processesMost;
    private final int crashesOneIn;
    private final boolean falsify;
    private final boolean removes;

    /** By what a counter changes in a history where values are unique. */
    private final int amount;

    /** Of a store. */
    private final Set<String> use;

    /** Who holds a lock, where everybody keeps to its rules; else always empty. */
    private final Set<Long> holders = new HashSet<>();

    private final boolean keepsToRules;
    private int nextUnique = 1;
    private Object state;

    private Samples(Model model, SplittableRandom random, int processesMost) {
        this.processesMost = processesMost;
        this.model = model;
        this.random = random;
        state = model.initial();
        unique = random.nextInt(3) == 0;
        amount = List.of(1, 1, 2, -1).get(random.nextInt(4));
        crashesOneIn = processesMost > 4 && random.nextInt(3) == 0 ? 2 : 8;
        falsify = random.nextInt(4) > 0;
        removes = true;
        keepsToRules = false;
        use = model.equals(Models.STORE) ? USES.get(random.nextInt(USES.size())) : Set.of();
    }

    private Samples(Model model, SplittableRandom random, int processesMost, int amount) {
        this.processesMost = processesMost;
        this.model = model;
        this.random = random;
        this.amount = amount;
        state = model.initial();
        unique = true;
        crashesOneIn = Integer.MAX_VALUE;
        falsify = false;
        removes = false;
        keepsToRules = true;
        use = USES.getFirst();
    }

    public static List<Model> models() {
        return List.of(
                Models.REGISTER,
                Models.CAS_REGISTER,
                Models.KEY_VALUE,
                Models.LIST_APPEND,
                Models.COUNTER,
                Models.SET,
                Models.FIFO_QUEUE,
                Models.UNORDERED_QUEUE,
                Models.LOCK,
                Models.VERSIONED_REGISTER,
                Models.STORE);
    }

    /** What one key of a store is used for in most histories, and everything at once. */
    private static final List<Set<String>> USES =
            List.of(
                    Set.of("read", "lease-read", "write", "cas", "delete"),
                    Set.of("read", "append", "delete"),
                    Set.of("read", "increment", "stale-read"),
                    Set.of("read", "add", "delete"),
                    Set.of("read", "enqueue", "dequeue"),
                    Set.of("read", "acquire", "release"),
                    Set.of(StoreModel.FUNCTIONS));

    /** The token of a lock that was given last; 0 before. */
    private int newestToken;

    private record Open(String f, Value argument, @Nullable Value answer, boolean refused) {}

    /** At most {@code most} operations by up to four processes. */
    public static List<HistoryEvent> history(Model model, SplittableRandom random, int most) {
        return new Samples(model, random, 4).generate(1 + random.nextInt(most));
    }

    /** Exactly {@code count} operations by up to nine processes, with many open at a time. */
    public static List<HistoryEvent> wide(Model model, SplittableRandom random, int count) {
        return new Samples(model, random, 9).generate(count);
    }

    /** The same by up to so many processes. */
    public static List<HistoryEvent> wide(
            Model model, SplittableRandom random, int count, int processesMost) {
        return new Samples(model, random, processesMost).generate(count);
    }

    /**
     * A real execution with unique values, in which operations crash only where they cannot take
     * effect, nothing is removed from sets, counters always change by one and whoever holds a lock
     * does nothing but release it.
     */
    public static List<HistoryEvent> valid(
            Model model, SplittableRandom random, int count, int processesMost) {
        return new Samples(model, random, processesMost, 1).generate(count);
    }

    private List<HistoryEvent> generate(int operationCount) {
        int processCount = 2 + random.nextInt(processesMost - 1);
        Map<Long, Open> open = new HashMap<>();
        List<Long> free = new ArrayList<>();
        for (long p = 0; p < processCount; p++) {
            free.add(p);
        }
        long nextProcess = processCount;
        int started = 0;
        while (started < operationCount || !open.isEmpty()) {
            int what = random.nextInt(3);
            if (what == 0 && started < operationCount && !free.isEmpty()) {
                long process = free.remove(random.nextInt(free.size()));
                Open operation = start(process);
                open.put(process, operation);
                add(process, HistoryEvent.Type.INVOKE, operation.f(), operation.argument(), null);
                started++;
            } else if (what == 1 && !open.isEmpty()) {
                long process = any(open);
                open.computeIfPresent(process, (p, o) -> takeEffect(p, o));
            } else if (what == 2 && !open.isEmpty()) {
                long process = any(open);
                Open operation = Objects.requireNonNull(open.remove(process));
                boolean holds = holders.remove(process);
                if (operation.answer() == null && (holds || random.nextInt(4) > 0)) {
                    operation = takeEffect(process, operation);
                }
                if (keepsToRules && operation.f().equals("acquire") && operation.answer() != null) {
                    holders.add(process);
                }
                if (operation.answer() == null && falsify && random.nextInt(3) == 0) {
                    add(process, HistoryEvent.Type.OK, operation.f(), operation.argument(), null);
                    free.add(process);
                } else if (operation.answer() == null || random.nextInt(crashesOneIn) == 0) {
                    if (random.nextBoolean()) {
                        add(
                                process,
                                HistoryEvent.Type.INFO,
                                operation.f(),
                                operation.argument(),
                                "timeout");
                    }
                    free.add(nextProcess++);
                } else {
                    end(process, operation, falsify && random.nextInt(2) == 0);
                    free.add(process);
                }
            }
        }
        return events;
    }

    private long any(Map<Long, Open> open) {
        List<Long> processes = open.keySet().stream().sorted().toList();
        return processes.get(random.nextInt(processes.size()));
    }

    private Open takeEffect(long process, Open operation) {
        if (operation.answer() != null) {
            return operation;
        }
        Value answer = answer(process, operation.f(), operation.argument());
        boolean refused = answer.equals(Value.of("refused"));
        boolean impossible = answer.equals(Value.of("impossible"));
        var whole =
                new Operation(
                        process,
                        operation.f(),
                        Value.NIL,
                        operation.argument(),
                        answer,
                        refused ? Operation.Outcome.REFUSED : Operation.Outcome.OK);
        List<?> after = impossible ? List.of() : model.step().apply(state, whole);
        if (after.isEmpty()) {
            return operation;
        }
        state = after.getFirst();
        return new Open(operation.f(), operation.argument(), answer, refused);
    }

    private void end(long process, Open operation, boolean falsified) {
        Value answer = operation.answer();
        if (operation.refused()) {
            add(
                    process,
                    HistoryEvent.Type.FAIL,
                    operation.f(),
                    operation.argument(),
                    "compare-failed");
        } else if (falsified) {
            add(process, HistoryEvent.Type.OK, operation.f(), falsified(operation), null);
        } else {
            add(
                    process,
                    HistoryEvent.Type.OK,
                    operation.f(),
                    answer == null ? Value.NIL : answer,
                    null);
        }
    }

    private void add(
            long process, HistoryEvent.Type type, String f, Value value, @Nullable String error) {
        long index = events.size();
        events.add(
                new HistoryEvent(
                        index, index * 10, process, type, f, Value.NIL, value, null, error, 0, 0));
    }

    private Value small() {
        return Value.of(unique ? nextUnique++ : random.nextInt(3));
    }

    private Open start(long process) {
        boolean holds = holders.contains(process);
        List<String> functions =
                Models.functions(model).stream()
                        .filter(f -> removes || !f.equals("remove"))
                        .filter(f -> !keepsToRules || f.equals("release") == holds || !locks())
                        .filter(f -> !model.equals(Models.STORE) || use.contains(f))
                        .toList();
        String f = functions.get(random.nextInt(functions.size()));
        Value argument =
                switch (f) {
                    case "read",
                            "lease-read",
                            "stale-read",
                            "keys",
                            "get",
                            "dequeue",
                            "acquire",
                            "delete" ->
                            Value.NIL;
                    case "release" ->
                            // One that cannot take effect would end a process for good.
                            unique || random.nextBoolean()
                                    ? Value.NIL
                                    : Value.of(random.nextInt(newestToken + 1));
                    case "cas" -> cas();
                    case "increment" -> increment();
                    case "add" ->
                            model.equals(Models.COUNTER) && unique ? Value.of(amount) : small();
                    case "append" -> model.equals(Models.KEY_VALUE) ? Value.of("a") : small();
                    case "write" ->
                            model.equals(Models.VERSIONED_REGISTER)
                                    ? Value.of(Value.NIL, small())
                                    : small();
                    default -> small();
                };
        return new Open(f, argument, null, false);
    }

    private boolean locks() {
        return model.equals(Models.LOCK);
    }

    private Value increment() {
        boolean bare = random.nextBoolean();
        return bare && (!unique || amount == 1) ? Value.NIL : Value.of(unique ? amount : 2);
    }

    private Value cas() {
        Value expected = Value.of(unique ? random.nextInt(nextUnique) : random.nextInt(3));
        Value pair = Value.of(expected, small());
        return model.equals(Models.VERSIONED_REGISTER)
                ? Value.of(random.nextBoolean() ? Value.NIL : Value.of(random.nextInt(3)), pair)
                : pair;
    }

    @SuppressWarnings("unchecked")
    private Value answer(long process, String f, Value argument) {
        return switch (f) {
            case "read", "lease-read", "stale-read", "get" -> readAnswer();
            case "dequeue" -> {
                if (model.equals(Models.STORE)) {
                    yield StoreModel.answer(state) instanceof Value.Seq(List<Value> queue)
                                    && !queue.isEmpty()
                            ? queue.getFirst()
                            : Value.NIL;
                }
                if (state instanceof List<?> queue) {
                    yield queue.isEmpty() ? Value.NIL : (Value) queue.getFirst();
                }
                Set<Value> elements = ((Map<Value, Integer>) state).keySet();
                yield elements.isEmpty()
                        ? Value.NIL
                        : elements.stream().skip(random.nextInt(elements.size())).findFirst().get();
            }
            case "increment" -> {
                long by = argument instanceof Value.Int(long n) ? n : 1;
                long before =
                        state instanceof Long total
                                ? total
                                : StoreModel.answer(state) instanceof Value.Int(long now) ? now : 0;
                Value after = Value.of(before + by);
                yield argument instanceof Value.Nil ? after : Value.of(argument, after);
            }
            case "acquire" -> {
                newestToken = events.size();
                yield Value.of(newestToken);
            }
            case "cas" -> {
                var attempt =
                        new Operation(
                                process,
                                f,
                                Value.NIL,
                                argument,
                                argument,
                                Operation.Outcome.REFUSED);
                boolean refused = !model.step().apply(state, attempt).isEmpty();
                yield refused ? Value.of("refused") : argument;
            }
            default -> argument;
        };
    }

    private Value readAnswer() {
        return switch (state) {
            case Value value -> value;
            case Long total -> Value.of(total);
            case Chain chain -> new Value.Seq(chain.values());
            case Set<?> set ->
                    new Value.Seq(
                            set.stream()
                                    .map(v -> (Value) v)
                                    .sorted((a, b) -> a.toString().compareTo(b.toString()))
                                    .toList());
            default ->
                    model.equals(Models.STORE)
                            ? StoreModel.answer(state)
                            : Models.versionedPair(state);
        };
    }

    /** Another answer of the same kind, mostly a wrong one. */
    private Value falsified(Open operation) {
        Value answer = operation.answer();
        return switch (answer) {
            case null -> Value.NIL;
            case Value.Int(long number) ->
                    Value.of(
                            number + random.nextInt(3) - (operation.f().equals("acquire") ? 9 : 1));
            case Value.Text(String text) ->
                    Value.of(text.isEmpty() ? "a" : text.substring(0, text.length() - 1));
            case Value.Seq(List<Value> values) when operation.f().endsWith("read") -> {
                List<Value> changed = new ArrayList<>(values);
                if (changed.isEmpty() || random.nextBoolean()) {
                    changed.add(Value.of(random.nextInt(3)));
                } else {
                    changed.remove(random.nextInt(changed.size()));
                }
                yield new Value.Seq(changed);
            }
            case Value.Nil ignored -> Value.of(random.nextInt(3));
            default -> answer;
        };
    }
}
