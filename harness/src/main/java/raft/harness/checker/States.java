package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.history.Value;
import raft.harness.model.Model;
import raft.harness.model.Operation;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The states and operations that a general search has met, as dense numbers, and the model's step
 * remembered: each step is computed once (Knossos' memo).
 */
final class States {
    /** A step that is not possible. */
    static final int NONE = -1;

    /** Makes every remembered step a number from 0 on, as {@link LongIntMap} wants. */
    private static final int SHIFT = 1 << 30;

    /** Rough cost of a state with its table entry, as measured for short texts and lists. */
    private static final int STATE_BYTES = 200;

    /** The same for each element of a state that is copied with every change. */
    private static final int ELEMENT_BYTES = 50;

    /** So many elements are copied in about the time of one elementary step. */
    private static final int ELEMENTS_A_STEP = 16;

    /**
     * A state as a key. The sets and maps of the library add up the hashes of their elements, by
     * which {1, 4} and {2, 3} collide, and with numbers nearly all sets of one size do.
     */
    private record Key(Object state, int hash) {
        static Key of(Object state) {
            int hash =
                    switch (state) {
                        case Set<?> set -> set.stream().mapToInt(e -> mixed(e.hashCode())).sum();
                        case Map<?, ?> map ->
                                map.entrySet().stream().mapToInt(e -> mixed(e.hashCode())).sum();
                        default -> state.hashCode();
                    };
            return new Key(state, hash);
        }

        private static int mixed(int hash) {
            int h = (hash ^ hash >>> 16) * 0x9E3779B9;
            return (h ^ h >>> 15) * 0x85EBCA6B;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key that && hash == that.hash && state.equals(that.state);
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    private final Model model;
    private final Meter.Gauge gauge;
    private final Map<Operation, Integer> classNumbers = new HashMap<>();
    private final List<Operation> classes = new ArrayList<>();
    private Map<Key, Integer> stateNumbers = new HashMap<>();
    private List<Object> states = new ArrayList<>();
    private final LongIntMap steps = new LongIntMap();
    private final List<int[]> choices = new ArrayList<>();

    private long elementCount;

    States(Model model, Meter.Gauge gauge) {
        this.model = model;
        this.gauge = gauge;
        number(model.initial());
    }

    int classOf(Operation operation) {
        Integer known = classNumbers.get(operation);
        if (known != null) {
            return known;
        }
        classes.add(operation);
        classNumbers.put(operation, classes.size() - 1);
        return classes.size() - 1;
    }

    Operation operation(int operationClass) {
        return classes.get(operationClass);
    }

    int classCount() {
        return classes.size();
    }

    boolean pure(int operationClass) {
        return model.pure().test(classes.get(operationClass));
    }

    Object state(int number) {
        return states.get(number);
    }

    int stateCount() {
        return states.size();
    }

    long sizeBytes() {
        return (long) (states.size() + classes.size()) * STATE_BYTES
                + elementCount * ELEMENT_BYTES
                + steps.sizeBytes();
    }

    /**
     * Where the step leads: a state's number, {@link #NONE}, or, where there is a choice, a number
     * below that which {@link #choices} understands.
     */
    int step(int state, int operationClass) {
        long key = (long) state << 32 | operationClass;
        int known = steps.lookup(key);
        if (known == LongIntMap.NONE) {
            known = compute(state, operationClass) + SHIFT;
            steps.put(key, known);
        }
        return known - SHIFT;
    }

    /** The states behind a step with a choice. */
    int[] choices(int step) {
        return choices.get(-2 - step);
    }

    private int compute(int state, int operationClass) {
        gauge.steps(1 + elements(states.get(state)) / ELEMENTS_A_STEP);
        List<?> after = model.step().apply(states.get(state), classes.get(operationClass));
        if (after.isEmpty()) {
            return NONE;
        }
        if (after.size() == 1) {
            return number(after.getFirst());
        }
        choices.add(after.stream().mapToInt(this::number).distinct().toArray());
        return -1 - choices.size();
    }

    private int number(Object state) {
        var key = Key.of(state);
        Integer known = stateNumbers.get(key);
        if (known != null) {
            return known;
        }
        states.add(state);
        elementCount += elements(state);
        stateNumbers.put(key, states.size() - 1);
        return states.size() - 1;
    }

    private static int elements(Object state) {
        return switch (state) {
            case Collection<?> collection -> collection.size();
            case Map<?, ?> map -> map.size();
            case Value.Text(String text) -> text.length() / ELEMENTS_A_STEP;
            default -> 0;
        };
    }

    /**
     * Forgets all states and classes but those marked, whose new numbers are written over the
     * marks. Keeps a long search as small as its frontier.
     */
    void keep(int[] marks, int[] classMarks) {
        List<Operation> oldClasses = List.copyOf(classes);
        classes.clear();
        classNumbers.clear();
        for (int i = 0; i < classMarks.length; i++) {
            if (classMarks[i] != 0) {
                classMarks[i] = classOf(oldClasses.get(i));
            }
        }
        List<Object> old = states;
        states = new ArrayList<>();
        stateNumbers = new HashMap<>();
        elementCount = 0;
        steps.clear();
        choices.clear();
        for (int i = 0; i < marks.length; i++) {
            if (marks[i] != 0) {
                marks[i] = number(old.get(i));
            }
        }
    }
}
