package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Outcome.Fits;
import raft.harness.checker.Outcome.Impossible;
import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.model.Model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Grow-only sets and append-only lists whose elements are all different, without search. The
 * answers of the reads, by length, say in which stage each operation stands: an addition before the
 * first read that has its element and after the last that has not, reads of equal length together,
 * and additions that no read has at the end (of the list: in the order in which the reads have
 * them). Operations of one stage may stand in any order that real time allows, so a linearization
 * exists iff no operation of a later stage ended before one of an earlier stage began. Crashed
 * additions that no read has are left out.
 */
final class Stages {
    private Stages() {}

    private record Read(int operation, List<Value> elements) {}

    /** A verdict, or null where elements repeat, are removed, or a read repeats one. */
    static @Nullable Outcome judge(
            Part part, List<HistoryEvent> events, Model.Shape shape, Meter.Gauge gauge) {
        boolean ordered = shape == Model.Shape.APPEND_LIST;
        Map<Value, Integer> adders = new HashMap<>();
        List<Read> reads = new ArrayList<>();
        for (int i = 0; i < part.operationCount(); i++) {
            HistoryEvent call = events.get(part.invocations()[i]);
            switch (call.f()) {
                case "read" -> {
                    // A long answer is a long step.
                    if (!gauge.lookNow()) {
                        throw new Meter.Spent();
                    }
                    Read read = read(i, events.get(part.completions()[i]).value());
                    if (read == null) {
                        return null;
                    }
                    reads.add(read);
                }
                case "add", "append" -> {
                    if (adders.put(call.value(), i) != null) {
                        return null;
                    }
                }
                default -> {
                    return null;
                }
            }
        }
        reads.sort(Comparator.comparingInt(r -> r.elements().size()));
        int[] stage = new int[part.operationCount()];
        Arrays.fill(stage, -1);
        return stagesOf(part, adders, reads, ordered, stage, gauge);
    }

    private static @Nullable Read read(int operation, Value answer) {
        if (!(answer instanceof Value.Seq(List<Value> values))) {
            return answer instanceof Value.Nil ? new Read(operation, List.of()) : null;
        }
        return new HashSet<>(values).size() == values.size() ? new Read(operation, values) : null;
    }

    private static @Nullable Outcome stagesOf(
            Part part,
            Map<Value, Integer> adders,
            List<Read> reads,
            boolean ordered,
            int[] stage,
            Meter.Gauge gauge) {
        Set<Value> seen = new HashSet<>();
        List<Value> longest = List.of();
        int readBefore = -1;
        int now = 0;
        for (Read read : reads) {
            if (!gauge.lookNow()) {
                throw new Meter.Spent();
            }
            List<Value> elements = read.elements();
            boolean includes =
                    ordered
                            ? elements.subList(0, longest.size()).equals(longest)
                            : elements.equals(longest)
                                    || new HashSet<>(elements).containsAll(longest);
            if (!includes) {
                return impossible(part, "do not extend each other", readBefore, read.operation());
            }
            if (elements.size() > longest.size()) {
                now += ordered ? 0 : 1;
                for (Value element : ordered ? fresh(elements, longest.size()) : elements) {
                    Integer adder = adders.get(element);
                    if (adder == null) {
                        return impossible(part, "was never added", read.operation());
                    }
                    if (seen.add(element)) {
                        now += ordered ? 1 : 0;
                        stage[adder] = now;
                    }
                }
                now++;
                longest = elements;
                readBefore = read.operation();
            }
            stage[read.operation()] = now;
        }
        now++;
        for (int adder : adders.values()) {
            if (stage[adder] < 0 && !part.crashed(adder)) {
                stage[adder] = now;
            }
        }
        return inOrder(part, stage);
    }

    private static List<Value> fresh(List<Value> elements, int from) {
        return elements.subList(from, elements.size());
    }

    /** Whether real time allows the stages one after the other. */
    static Outcome inOrder(Part part, int[] stage) {
        int count = part.operationCount();
        int[] calls = new int[count];
        int[] returns = new int[count];
        Arrays.fill(returns, Integer.MAX_VALUE);
        for (int i = 0; i < part.events().length; i++) {
            int operation = part.events()[i] >> 1;
            if ((part.events()[i] & 1) == 0) {
                calls[operation] = i;
            } else {
                returns[operation] = i;
            }
        }
        long[] keys = new long[count];
        int length = 0;
        for (int i = 0; i < count; i++) {
            if (stage[i] >= 0) {
                keys[length++] = (long) stage[i] << 32 | i;
            }
        }
        Arrays.sort(keys, 0, length);
        int[] order = new int[length];
        int latest = -1;
        int latestBefore = -1;
        for (int i = 0; i < length; i++) {
            int operation = (int) keys[i];
            order[i] = operation;
            if (i > 0 && keys[i] >>> 32 != keys[i - 1] >>> 32) {
                latestBefore = latest;
            }
            if (latestBefore >= 0 && returns[operation] < calls[latestBefore]) {
                return impossible(part, "ended too early", operation, latestBefore);
            }
            if (latest < 0 || calls[operation] > calls[latest]) {
                latest = operation;
            }
        }
        return new Fits(order);
    }

    /** An outcome that names the operations which contradict each other; none is left out. */
    static Outcome impossible(Part part, String reason, int... culprits) {
        int at = 0;
        for (int i = 0; i < part.events().length; i++) {
            int operation = part.events()[i] >> 1;
            for (int culprit : culprits) {
                at = (part.events()[i] & 1) == 1 && culprit == operation ? i : at;
            }
        }
        return new Impossible(at, reason, culprits, List.of());
    }
}
