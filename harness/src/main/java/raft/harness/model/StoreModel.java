package raft.harness.model;

import org.jspecify.annotations.Nullable;

import raft.harness.history.Value;
import raft.harness.model.Operation.Outcome;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The whole store that the client protocol describes, as a person's session may use it: a key holds
 * a value, a list, a counter, a set, a queue or a lock; the first write decides which, and only
 * {@code delete} ends it. A write for another kind is refused, and such refusals never reach a
 * model.
 *
 * <p>{@code lease-read} promises what {@code read} promises, so a clock beyond its bound shows.
 * {@code stale-read} and {@code keys} promise nothing that could be judged by key, so whatever they
 * answer is possible.
 */
final class StoreModel {
    static final String NAME = "store";

    static final String[] FUNCTIONS = {
        "read",
        "lease-read",
        "stale-read",
        "keys",
        "write",
        "cas",
        "delete",
        "append",
        "increment",
        "add",
        "enqueue",
        "dequeue",
        "acquire",
        "release"
    };

    private static final Set<String> READS = Set.of("read", "lease-read", "stale-read", "keys");

    static final Model MODEL =
            Model.of(NAME, new Content.Nothing(), StoreModel::step)
                    .withPure(
                            operation ->
                                    READS.contains(operation.f())
                                            || operation.outcome() == Outcome.REFUSED)
                    .withParts(Operation::key)
                    .withProcesses();

    private StoreModel() {}

    /** What a key holds. */
    private sealed interface Content {
        record Nothing() implements Content {
            @Override
            public String toString() {
                return "nothing";
            }
        }

        record Single(Value value) implements Content {
            @Override
            public String toString() {
                return value.toString();
            }
        }

        record Elements(Kind kind, List<Value> values) implements Content {
            @Override
            public String toString() {
                return "the " + kind + " " + values;
            }
        }

        record Members(Set<Value> values) implements Content {
            @Override
            public String toString() {
                return "the set " + values;
            }
        }

        record Total(long number) implements Content {
            @Override
            public String toString() {
                return "the counter " + number;
            }
        }

        record Lock(boolean held, long holder, long token) implements Content {
            @Override
            public String toString() {
                return held ? "a lock held by client " + holder : "a free lock";
            }
        }
    }

    private enum Kind {
        LIST,
        QUEUE;

        @Override
        public String toString() {
            return this == LIST ? "list" : "queue";
        }
    }

    private static @Nullable Object step(Object state, Operation operation) {
        Content content = (Content) state;
        return switch (operation.f()) {
            case "stale-read", "keys" -> content;
            case "read", "lease-read" -> reads(content, operation) ? content : null;
            case "write" ->
                    content instanceof Content.Nothing || content instanceof Content.Single
                            ? new Content.Single(operation.argument())
                            : null;
            case "cas" -> compareAndSet(content, operation);
            case "delete" -> new Content.Nothing();
            case "append" -> longer(content, Kind.LIST, operation.argument());
            case "enqueue" -> longer(content, Kind.QUEUE, operation.argument());
            case "dequeue" -> dequeue(content, operation);
            case "increment" -> increment(content, operation);
            case "add" -> add(content, operation.argument());
            case "acquire" -> acquire(content, operation);
            case "release" -> release(content, operation);
            default -> null;
        };
    }

    private static boolean reads(Content content, Operation operation) {
        if (operation.outcome() == Outcome.UNKNOWN) {
            return true;
        }
        Value result = operation.result();
        return switch (content) {
            case Content.Members(Set<Value> values) ->
                    result instanceof Value.Seq(List<Value> answered)
                            && answered.size() == values.size()
                            && values.equals(new HashSet<>(answered));
            case Content.Lock(boolean held, _, _) when held ->
                    Operation.element(result, 0).equals(Operation.element(answer(content), 0));
            default -> result.equals(answer(content));
        };
    }

    /** What a read of a key answers in a state; a lock's answer begins with its token. */
    static Value answer(Object state) {
        return switch ((Content) state) {
            case Content.Nothing() -> Value.NIL;
            case Content.Single(Value value) -> value;
            case Content.Elements(_, List<Value> values) -> new Value.Seq(values);
            case Content.Members(Set<Value> values) -> new Value.Seq(List.copyOf(values));
            case Content.Total(long number) -> Value.of(number);
            case Content.Lock(boolean held, long holder, long token) ->
                    held ? Value.of(Value.of(token), Value.of(holder)) : Value.NIL;
        };
    }

    private static @Nullable Content compareAndSet(Content content, Operation operation) {
        Value present =
                switch (content) {
                    case Content.Nothing() -> Value.NIL;
                    case Content.Single(Value value) -> value;
                    default -> null;
                };
        if (present == null) {
            return null;
        }
        boolean matches = present.equals(operation.argument(0));
        Content after = new Content.Single(operation.argument(1));
        return switch (operation.outcome()) {
            case OK -> matches ? after : null;
            case REFUSED -> matches ? null : content;
            case UNKNOWN -> matches ? after : content;
        };
    }

    private static @Nullable Content longer(Content content, Kind kind, Value element) {
        return switch (content) {
            case Content.Nothing() -> new Content.Elements(kind, List.of(element));
            case Content.Elements(Kind is, List<Value> values) when is == kind -> {
                List<Value> more = new ArrayList<>(values);
                more.add(element);
                yield new Content.Elements(kind, List.copyOf(more));
            }
            default -> null;
        };
    }

    private static @Nullable Content dequeue(Content content, Operation operation) {
        return switch (content) {
            case Content.Nothing() -> operation.answered(Value.NIL) ? content : null;
            case Content.Elements(Kind kind, List<Value> values) when kind == Kind.QUEUE -> {
                if (values.isEmpty()) {
                    yield operation.answered(Value.NIL) ? content : null;
                }
                yield operation.answered(values.getFirst())
                        ? new Content.Elements(kind, List.copyOf(values.subList(1, values.size())))
                        : null;
            }
            default -> null;
        };
    }

    private static @Nullable Content increment(Content content, Operation operation) {
        long before;
        switch (content) {
            case Content.Nothing() -> before = 0;
            case Content.Total(long number) -> before = number;
            default -> {
                return null;
            }
        }
        long after = before + (operation.argument() instanceof Value.Int(long number) ? number : 1);
        Value learnt = Operation.element(operation.result(), 1);
        return learnt instanceof Value.Int(long told) && told != after
                ? null
                : new Content.Total(after);
    }

    private static @Nullable Content add(Content content, Value element) {
        Set<Value> more;
        switch (content) {
            case Content.Nothing() -> more = new HashSet<>();
            case Content.Members(Set<Value> values) -> more = new HashSet<>(values);
            default -> {
                return null;
            }
        }
        more.add(element);
        return new Content.Members(Set.copyOf(more));
    }

    /** Whoever holds a lock is given the same token again. */
    private static @Nullable Content acquire(Content content, Operation operation) {
        Content.Lock lock =
                switch (content) {
                    case Content.Nothing() -> new Content.Lock(false, 0, Long.MIN_VALUE);
                    case Content.Lock present -> present;
                    default -> null;
                };
        if (lock == null) {
            return null;
        }
        long token = operation.result() instanceof Value.Int(long given) ? given : lock.token() + 1;
        if (lock.held()) {
            boolean same =
                    lock.holder() == operation.process()
                            && (operation.outcome() == Outcome.UNKNOWN || token == lock.token());
            return same ? lock : null;
        }
        return token > lock.token() ? new Content.Lock(true, operation.process(), token) : null;
    }

    private static @Nullable Content release(Content content, Operation operation) {
        return content instanceof Content.Lock lock
                        && lock.held()
                        && lock.holder() == operation.process()
                ? new Content.Lock(false, 0, lock.token())
                : null;
    }
}
