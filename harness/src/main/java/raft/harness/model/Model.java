package raft.harness.model;

import org.jspecify.annotations.Nullable;

import raft.harness.history.Value;

import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A sequential specification: a record of pure functions. A complete one of one's own:
 *
 * <pre>{@code
 * public final class MaxRegister implements Supplier<Model> {
 *     public Model get() {
 *         return Model.of("max-register", 0L, (state, op) -> switch (op.f()) {
 *             case "write" -> Math.max((Long) state, ((Value.Int) op.argument()).number());
 *             case "read" -> op.answered(Value.of((Long) state)) ? state : null;
 *             default -> null;
 *         }).withPure(op -> op.f().equals("read")).withParts(Operation::key);
 *     }
 * }
 * }</pre>
 *
 * @param name on the command line and in headers, "cas-register" say
 * @param initial the state before the first operation. States must be immutable and have equals,
 *     hashCode and a toString that people can read
 * @param step the states in which {@code operation} may leave {@code state}: none when its answer
 *     is impossible there, one for nearly all, several where the specification leaves a choice.
 *     Must be a pure function
 * @param pure whether an operation leaves <em>every</em> state in which it is possible unchanged.
 *     Such operations cost the search almost nothing; false is always right
 * @param part what an operation belongs to: histories of different parts are judged apart, which is
 *     sound only where operations of one part can neither see nor change another. NIL for all where
 *     that is not so
 * @param processMatters whether {@code step} looks at {@link Operation#process}
 * @param shape what else is known of it, so that faster ways than searching are sound
 */
public record Model(
        String name,
        Object initial,
        BiFunction<Object, Operation, List<?>> step,
        Predicate<Operation> pure,
        Function<Operation, Value> part,
        boolean processMatters,
        Shape shape) {

    /** Families for which the checker has more than the general search. */
    public enum Shape {
        /** Nothing is known. */
        GENERAL,
        /** One value; read, write and cas as {@link Models#CAS_REGISTER} has them. */
        REGISTER,
        /** Elements are only ever added; reads return all of them, in any order. */
        GROW_ONLY_SET,
        /** Elements are only ever appended; reads return all of them, in order. */
        APPEND_LIST,
        /** Numbers are added to a total, as {@link Models#COUNTER} has it. */
        COUNTER,
        /** Elements leave in the order in which they came, as in {@link Models#FIFO_QUEUE}. */
        FIFO_QUEUE,
        /** Elements leave in any order, as in {@link Models#UNORDERED_QUEUE}. */
        UNORDERED_QUEUE,
        /** One process at a time holds it, as in {@link Models#LOCK}. */
        LOCK
    }

    /** A model whose step leads to one state, or is impossible: null. Not split, nothing pure. */
    public static Model of(
            String name, Object initial, BiFunction<Object, Operation, @Nullable Object> step) {
        return new Model(
                name,
                initial,
                (state, operation) -> {
                    Object next = step.apply(state, operation);
                    return next == null ? List.of() : List.of(next);
                },
                operation -> false,
                operation -> Value.NIL,
                false,
                Shape.GENERAL);
    }

    public Model withName(String newName) {
        return new Model(newName, initial, step, pure, part, processMatters, shape);
    }

    public Model withPure(Predicate<Operation> newPure) {
        return new Model(name, initial, step, newPure, part, processMatters, shape);
    }

    public Model withParts(Function<Operation, Value> newPart) {
        return new Model(name, initial, step, pure, newPart, processMatters, shape);
    }

    public Model withProcesses() {
        return new Model(name, initial, step, pure, part, true, shape);
    }

    public Model withShape(Shape newShape) {
        return new Model(name, initial, step, pure, part, processMatters, newShape);
    }
}
