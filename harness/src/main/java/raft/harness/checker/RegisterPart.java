package raft.harness.checker;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The operations of one register as ints. A successful cas from a value to itself is a read of it.
 *
 * @param part where they come from
 * @param kinds for each operation one of the constants
 * @param first the value read, written or expected
 * @param second the value a cas writes, else -1
 * @param calls for each operation the place of its invocation in the part's events
 * @param returns the same of its completion; {@link #NEVER} where it crashed
 * @param values what the numbers of values mean; 0 is the initial value
 */
// A bundle of arrays that is never compared.
@SuppressWarnings("ArrayRecordComponent")
record RegisterPart(
        Part part,
        byte[] kinds,
        int[] first,
        int[] second,
        int[] calls,
        int[] returns,
        List<Value> values) {

    static final byte READ = 0;
    static final byte WRITE = 1;
    static final byte CAS = 2;

    /** A cas that found another value than the expected one. */
    static final byte REFUSED = 3;

    /** Something without effect: a crashed cas from a value to itself. */
    static final byte NOTHING = 4;

    static final int NEVER = Integer.MAX_VALUE;

    static RegisterPart of(Part part, List<HistoryEvent> events, Meter.Gauge gauge) {
        int count = part.operationCount();
        var numbers = new ValueNumbers();
        byte[] kinds = new byte[count];
        int[] first = new int[count];
        int[] second = new int[count];
        int[] calls = new int[count];
        int[] returns = new int[count];
        Arrays.fill(returns, NEVER);
        for (int i = 0; i < part.events().length; i++) {
            int operation = part.events()[i] >> 1;
            if ((part.events()[i] & 1) == 0) {
                calls[operation] = i;
            } else {
                returns[operation] = i;
            }
        }
        for (int i = 0; i < count; i++) {
            gauge.check();
            HistoryEvent call = events.get(part.invocations()[i]);
            int completion = part.completions()[i];
            second[i] = -1;
            switch (call.f()) {
                case "read" -> {
                    kinds[i] = READ;
                    first[i] = numbers.number(events.get(completion).value());
                }
                case "write" -> {
                    kinds[i] = WRITE;
                    first[i] = numbers.number(call.value());
                }
                default -> {
                    first[i] = numbers.number(element(call.value(), 0));
                    boolean refused =
                            completion >= 0
                                    && events.get(completion).type() == HistoryEvent.Type.FAIL;
                    if (refused) {
                        kinds[i] = REFUSED;
                    } else {
                        kinds[i] = CAS;
                        second[i] = numbers.number(element(call.value(), 1));
                        if (first[i] == second[i]) {
                            kinds[i] = completion >= 0 ? READ : NOTHING;
                        }
                    }
                }
            }
        }
        return new RegisterPart(part, kinds, first, second, calls, returns, numbers.values());
    }

    private static Value element(Value value, int index) {
        return value instanceof Value.Seq(List<Value> values) && index < values.size()
                ? values.get(index)
                : Value.NIL;
    }

    int operationCount() {
        return kinds.length;
    }

    boolean crashed(int operation) {
        return returns[operation] == NEVER;
    }

    /** The value that an operation leaves behind, or -1 where it changes nothing. */
    int produced(int operation) {
        return kinds[operation] == WRITE
                ? first[operation]
                : kinds[operation] == CAS ? second[operation] : -1;
    }

    /** The value that a completed operation must find, or -1. */
    int needed(int operation) {
        return kinds[operation] == READ || kinds[operation] == CAS ? first[operation] : -1;
    }

    /** Dense numbers for values. */
    static final class ValueNumbers {
        private final LongIntMap integers = new LongIntMap();
        private final Map<Value, Integer> others = new HashMap<>();
        private final List<Value> values = new ArrayList<>();

        ValueNumbers() {
            others.put(Value.NIL, 0);
            values.add(Value.NIL);
        }

        int number(Value value) {
            if (value instanceof Value.Int(long integer)) {
                int known = integers.lookup(integer);
                if (known == LongIntMap.NONE) {
                    known = values.size();
                    integers.put(integer, known);
                    values.add(value);
                }
                return known;
            }
            Integer known = others.putIfAbsent(value, values.size());
            if (known != null) {
                return known;
            }
            values.add(value);
            return values.size() - 1;
        }

        List<Value> values() {
            return values;
        }
    }
}
