package raft.harness.model;

import org.jspecify.annotations.Nullable;

import raft.harness.history.Value;
import raft.harness.model.Operation.Outcome;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The specifications that come with the lab. All are split by key. Operations they do not know make
 * a history impossible, so the checker refuses them beforehand: see {@link #knows}.
 */
public final class Models {
    /** read → value, write value. Nil at first. */
    public static final Model REGISTER =
            Model.of("register", Value.NIL, Models::register)
                    .withPure(Models::readsOnly)
                    .withParts(Operation::key)
                    .withShape(Model.Shape.REGISTER);

    /** A register with cas [expected, new], which fails when it finds another value. */
    public static final Model CAS_REGISTER = REGISTER.withName("cas-register");

    /**
     * get → value, put value, append text, cas [expected, new], delete; per key. A key never
     * written holds the empty text, which is the same as nil here.
     */
    public static final Model KEY_VALUE =
            Model.of("key-value", Value.of(""), Models::keyValue)
                    .withPure(Models::readsOnly)
                    .withParts(Operation::key);

    /** append element, read → [elements in order]. */
    public static final Model LIST_APPEND =
            Model.of("list-append", Chain.EMPTY, Models::listAppend)
                    .withPure(Models::readsOnly)
                    .withParts(Operation::key)
                    .withShape(Model.Shape.APPEND_LIST);

    /**
     * add n (nil is 1), which learns nothing; increment n, which answers [n, new total], or, where
     * its argument is nil, the new total; read → total. 0 at first, which may be read as nil.
     */
    public static final Model COUNTER =
            Model.of("counter", 0L, Models::counter)
                    .withPure(Models::readsOnly)
                    .withParts(Operation::key)
                    .withShape(Model.Shape.COUNTER);

    /** add element, remove element, read → [all elements in any order]. */
    public static final Model SET =
            Model.of("set", Set.<Value>of(), Models::set)
                    .withPure(Models::readsOnly)
                    .withParts(Operation::key)
                    .withShape(Model.Shape.GROW_ONLY_SET);

    /** enqueue element, dequeue → the oldest element, or nil when it was empty. */
    public static final Model FIFO_QUEUE =
            Model.of("queue", List.<Value>of(), Models::fifo)
                    .withParts(Operation::key)
                    .withShape(Model.Shape.FIFO_QUEUE);

    /** enqueue element, dequeue → any element, or nil when it was empty. */
    public static final Model UNORDERED_QUEUE =
            new Model(
                    "unordered-queue",
                    Map.<Value, Integer>of(),
                    Models::bag,
                    operation -> false,
                    Operation::key,
                    false,
                    Model.Shape.UNORDERED_QUEUE);

    /**
     * acquire → a fencing token (a number above all before) or anything else where there are none;
     * release by the process that holds it. Nobody can acquire what another holds.
     */
    public static final Model LOCK =
            Model.of("lock", new LockState(false, 0, Long.MIN_VALUE, false), Models::lock)
                    .withProcesses()
                    .withParts(Operation::key)
                    .withShape(Model.Shape.LOCK);

    /**
     * A register that counts its writes. Values are pairs [version, payload], version nil where it
     * is not known: read → [version, value], write [nil, value] → [version after, value], cas
     * [version before or nil, [expected, new]]. [0, nil] at first.
     */
    public static final Model VERSIONED_REGISTER =
            Model.of("versioned-register", new Versioned(0, Value.NIL), Models::versioned)
                    .withPure(Models::readsOnly)
                    .withParts(Operation::key);

    /** Everything that the client protocol can do with keys, mixed as one likes. */
    public static final Model STORE = StoreModel.MODEL;

    private static final Map<Model, Set<String>> FUNCTIONS = new HashMap<>();
    private static final Map<String, Model> NAMED = new TreeMap<>();

    static {
        add(REGISTER, "read", "write");
        add(CAS_REGISTER, "read", "write", "cas");
        add(KEY_VALUE, "get", "read", "put", "write", "append", "cas", "delete");
        add(LIST_APPEND, "append", "read");
        add(COUNTER, "add", "increment", "read");
        add(SET, "add", "remove", "read");
        add(FIFO_QUEUE, "enqueue", "dequeue");
        add(UNORDERED_QUEUE, "enqueue", "dequeue");
        add(LOCK, "acquire", "release");
        add(VERSIONED_REGISTER, "read", "write", "cas");
        add(STORE, StoreModel.FUNCTIONS);
        NAMED.put("etcd-register", CAS_REGISTER);
        NAMED.put("kv", KEY_VALUE);
        NAMED.put("kv-reg", KEY_VALUE);
        NAMED.put("fifo-queue", FIFO_QUEUE);
        NAMED.put("mutex", LOCK);
    }

    private Models() {}

    private static void add(Model model, String... functions) {
        NAMED.put(model.name(), model);
        FUNCTIONS.put(model, Set.of(functions));
    }

    /** All names {@link #named} takes, sorted. */
    public static List<String> names() {
        return List.copyOf(NAMED.keySet());
    }

    /**
     * The model of this name.
     *
     * @throws IllegalArgumentException for any other, with the list of those there are
     */
    public static Model named(String name) {
        Model model = NAMED.get(name);
        if (model == null) {
            throw new IllegalArgumentException(
                    "there is no model \""
                            + name
                            + "\"; there are "
                            + String.join(", ", NAMED.keySet()));
        }
        return model;
    }

    /** Whether the model has this function; true for models that are not of this class. */
    public static boolean knows(Model model, String f) {
        Set<String> functions = FUNCTIONS.get(model);
        return functions == null || functions.contains(f);
    }

    /** The functions of one of this class's models, sorted; empty for others. */
    public static List<String> functions(Model model) {
        return FUNCTIONS.getOrDefault(model, Set.of()).stream().sorted().toList();
    }

    /**
     * The model that judges a history best: where one of everything is asked for and only registers
     * were used, theirs, for which the checker has faster ways; else the same.
     *
     * @param functions that occur in the history
     */
    public static Model narrowest(Model model, Set<String> functions) {
        return model.equals(STORE) && knowsAll(CAS_REGISTER, functions) ? CAS_REGISTER : model;
    }

    private static boolean knowsAll(Model model, Set<String> functions) {
        return functions.stream().allMatch(f -> knows(model, f));
    }

    private static boolean readsOnly(Operation operation) {
        return operation.f().equals("read")
                || operation.f().equals("get")
                || operation.outcome() == Outcome.REFUSED;
    }

    private static @Nullable Object register(Object state, Operation operation) {
        return switch (operation.f()) {
            case "read" -> operation.answered((Value) state) ? state : null;
            case "write" -> operation.argument();
            case "cas" -> compareAndSet((Value) state, operation);
            default -> null;
        };
    }

    private static @Nullable Object compareAndSet(Value state, Operation operation) {
        boolean matches = state.equals(operation.argument(0));
        return switch (operation.outcome()) {
            case OK -> matches ? operation.argument(1) : null;
            case REFUSED -> matches ? null : state;
            case UNKNOWN -> matches ? operation.argument(1) : state;
        };
    }

    private static @Nullable Object keyValue(Object state, Operation operation) {
        return switch (operation.f()) {
            case "get", "read" ->
                    operation.outcome() == Outcome.UNKNOWN
                                    || orEmpty(operation.result()).equals(state)
                            ? state
                            : null;
            case "put", "write" -> orEmpty(operation.argument());
            case "append" ->
                    Value.of(
                            text((Value) state)
                                    + (operation.argument() instanceof Value.Nil
                                            ? ""
                                            : text(operation.argument())));
            case "delete" -> Value.of("");
            case "cas" -> {
                boolean matches = orEmpty(operation.argument(0)).equals(state);
                Value changed = orEmpty(operation.argument(1));
                yield switch (operation.outcome()) {
                    case OK -> matches ? changed : null;
                    case REFUSED -> matches ? null : state;
                    case UNKNOWN -> matches ? changed : state;
                };
            }
            default -> null;
        };
    }

    private static Value orEmpty(Value value) {
        return value instanceof Value.Nil ? Value.of("") : value;
    }

    private static String text(Value value) {
        return value instanceof Value.Text(String text) ? text : value.toString();
    }

    private static @Nullable Object listAppend(Object state, Operation operation) {
        Chain list = (Chain) state;
        return switch (operation.f()) {
            case "append" -> list.append(operation.argument());
            case "read" ->
                    operation.outcome() == Outcome.UNKNOWN
                                    || list.holds(elements(operation.result()))
                            ? list
                            : null;
            default -> null;
        };
    }

    private static List<Value> elements(Value value) {
        return switch (value) {
            case Value.Seq(List<Value> values) -> values;
            case Value.Nil ignored -> List.of();
            default -> List.of(value);
        };
    }

    private static @Nullable Object counter(Object state, Operation operation) {
        long total = (Long) state;
        return switch (operation.f()) {
            case "read" ->
                    operation.answered(Value.of(total))
                                    || (total == 0 && operation.answered(Value.NIL))
                            ? state
                            : null;
            case "add" -> total + amount(operation.argument());
            case "increment" -> {
                long after = total + amount(operation.argument());
                Value learnt =
                        operation.argument() instanceof Value.Nil
                                ? operation.result()
                                : Operation.element(operation.result(), 1);
                yield learnt instanceof Value.Int(long number) && number != after
                        ? null
                        : (Object) after;
            }
            default -> null;
        };
    }

    private static long amount(Value value) {
        return value instanceof Value.Int(long number) ? number : 1;
    }

    private static @Nullable Object set(Object state, Operation operation) {
        @SuppressWarnings("unchecked")
        Set<Value> elements = (Set<Value>) state;
        return switch (operation.f()) {
            case "add" -> {
                if (elements.contains(operation.argument())) {
                    yield elements;
                }
                Set<Value> more = new HashSet<>(elements);
                more.add(operation.argument());
                yield more;
            }
            case "remove" -> {
                if (!elements.contains(operation.argument())) {
                    yield elements;
                }
                Set<Value> fewer = new HashSet<>(elements);
                fewer.remove(operation.argument());
                yield fewer;
            }
            case "read" ->
                    operation.outcome() == Outcome.UNKNOWN
                                    || elements.equals(new HashSet<>(elements(operation.result())))
                            ? elements
                            : null;
            default -> null;
        };
    }

    private static @Nullable Object fifo(Object state, Operation operation) {
        @SuppressWarnings("unchecked")
        List<Value> queue = (List<Value>) state;
        return switch (operation.f()) {
            case "enqueue" -> {
                List<Value> longer = new ArrayList<>(queue);
                longer.add(operation.argument());
                yield longer;
            }
            case "dequeue" -> {
                if (queue.isEmpty()) {
                    yield operation.answered(Value.NIL) ? queue : null;
                }
                yield operation.answered(queue.getFirst())
                        ? new ArrayList<>(queue.subList(1, queue.size()))
                        : null;
            }
            default -> null;
        };
    }

    private static List<?> bag(Object state, Operation operation) {
        @SuppressWarnings("unchecked")
        Map<Value, Integer> bag = (Map<Value, Integer>) state;
        return switch (operation.f()) {
            case "enqueue" -> List.of(changed(bag, operation.argument(), 1));
            case "dequeue" -> {
                if (bag.isEmpty()) {
                    yield operation.answered(Value.NIL) ? List.of(bag) : List.of();
                }
                if (operation.outcome() == Outcome.OK) {
                    yield bag.containsKey(operation.result())
                            ? List.of(changed(bag, operation.result(), -1))
                            : List.of();
                }
                yield bag.keySet().stream().map(element -> changed(bag, element, -1)).toList();
            }
            default -> List.of();
        };
    }

    private static Map<Value, Integer> changed(Map<Value, Integer> bag, Value element, int by) {
        Map<Value, Integer> after = new HashMap<>(bag);
        after.merge(element, by, (a, b) -> a + b == 0 ? null : a + b);
        return after;
    }

    /**
     * @param token the newest that was given
     * @param known whether the holder's is {@code token}; else it got no answer, so its token is
     *     greater
     */
    private record LockState(boolean held, long holder, long token, boolean known) {
        @Override
        public String toString() {
            return held ? "held by process " + holder : "free";
        }
    }

    private static @Nullable Object lock(Object state, Operation operation) {
        LockState lock = (LockState) state;
        return switch (operation.f()) {
            case "acquire" -> {
                if (lock.held()) {
                    yield null;
                }
                if (operation.result() instanceof Value.Int(long given)) {
                    yield given <= lock.token()
                            ? null
                            : new LockState(true, operation.process(), given, true);
                }
                yield new LockState(true, operation.process(), lock.token(), false);
            }
            case "release" -> {
                boolean holds = lock.held() && lock.holder() == operation.process();
                boolean fits = !lock.known() || isToken(operation.argument(), lock.token());
                yield holds && fits ? new LockState(false, 0, lock.token(), false) : null;
            }
            default -> null;
        };
    }

    /** Whether a release that names {@code named} may give back the lock that has this token. */
    public static boolean isToken(Value named, long token) {
        return !(named instanceof Value.Int(long given)) || given == 0 || given == token;
    }

    private record Versioned(long version, Value value) {
        @Override
        public String toString() {
            return value + " at version " + version;
        }
    }

    /** What a read of a versioned register answers in {@code state}. */
    static Value versionedPair(Object state) {
        Versioned register = (Versioned) state;
        return Value.of(Value.of(register.version()), register.value());
    }

    private static @Nullable Object versioned(Object state, Operation operation) {
        Versioned register = (Versioned) state;
        return switch (operation.f()) {
            case "read" -> {
                Value version = Operation.element(operation.result(), 0);
                yield operation.outcome() == Outcome.UNKNOWN
                                || (unknownOr(version, register.version())
                                        && register.value()
                                                .equals(Operation.element(operation.result(), 1)))
                        ? register
                        : null;
            }
            case "write" -> {
                long after = register.version() + 1;
                yield unknownOr(Operation.element(operation.result(), 0), after)
                        ? new Versioned(after, operation.argument(1))
                        : null;
            }
            case "cas" -> {
                boolean matches =
                        unknownOr(operation.argument(0), register.version())
                                && register.value()
                                        .equals(Operation.element(operation.argument(1), 0));
                var after =
                        new Versioned(
                                register.version() + 1,
                                Operation.element(operation.argument(1), 1));
                yield switch (operation.outcome()) {
                    case OK -> matches ? after : null;
                    case REFUSED -> matches ? null : register;
                    case UNKNOWN -> matches ? after : register;
                };
            }
            default -> null;
        };
    }

    private static boolean unknownOr(Value version, long expected) {
        return !(version instanceof Value.Int(long number)) || number == expected;
    }
}
