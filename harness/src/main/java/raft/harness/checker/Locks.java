package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Outcome.Fits;
import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.model.Models;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Locks, without search, in O(n log n). A process does one thing after the other, so its operations
 * say when it surely held the lock: from the end of an acquire to the beginning of the release that
 * follows, or for ever. A linearization exists iff no two of these intervals overlap: in their
 * order each acquire can take effect as soon as the release before has begun, each release when it
 * begins. That order is the only one, so fencing tokens must grow along it. A crashed release may
 * free the lock from its beginning on; a crashed acquire would keep it for ever and is left out.
 */
final class Locks {
    private record Section(int acquire, int release, int from, int to) {}

    private Locks() {}

    /** A verdict, or null where a process goes on after an operation of its crashed. */
    static @Nullable Outcome judge(Part part, List<HistoryEvent> events, Meter.Gauge gauge) {
        int[] calls = new int[part.operationCount()];
        int[] returns = new int[part.operationCount()];
        for (int i = 0; i < part.events().length; i++) {
            int operation = part.events()[i] >> 1;
            ((part.events()[i] & 1) == 0 ? calls : returns)[operation] = i;
        }
        Map<Long, Integer> holders = new HashMap<>();
        Map<Long, Integer> lastOf = new HashMap<>();
        List<Section> sections = new ArrayList<>();
        for (int i = 0; i < part.operationCount(); i++) {
            gauge.check();
            HistoryEvent call = events.get(part.invocations()[i]);
            Integer before = lastOf.put(call.process(), i);
            if (before != null && part.crashed(before)) {
                return null;
            }
            Integer acquired = holders.get(call.process());
            if (call.f().equals("release")) {
                if (acquired != null && !fits(part, events, acquired, call)) {
                    // It names the token of another time: had it been carried out, wrongly so.
                    if (!part.crashed(i)) {
                        return Stages.impossible(part, "named another token", i, acquired);
                    }
                } else if (acquired != null) {
                    sections.add(new Section(acquired, i, returns[acquired], calls[i]));
                    holders.remove(call.process());
                } else if (!part.crashed(i)) {
                    return Stages.impossible(part, "released without holding", i);
                }
            } else if (!part.crashed(i)) {
                if (acquired != null) {
                    return Stages.impossible(part, "was held", i, acquired, -1);
                }
                holders.put(call.process(), i);
            }
        }
        for (int acquire : holders.values()) {
            sections.add(new Section(acquire, -1, returns[acquire], Integer.MAX_VALUE));
        }
        return inOrder(part, events, sections);
    }

    private static boolean fits(
            Part part, List<HistoryEvent> events, int acquire, HistoryEvent release) {
        Value answer = events.get(part.completions()[acquire]).value();
        return !(answer instanceof Value.Int(long token)) || Models.isToken(release.value(), token);
    }

    private static Outcome inOrder(Part part, List<HistoryEvent> events, List<Section> sections) {
        sections.sort(Comparator.comparingInt(Section::from));
        var order = new IntList();
        long token = Long.MIN_VALUE;
        int tokenFrom = -1;
        for (int i = 0; i < sections.size(); i++) {
            Section section = sections.get(i);
            if (i > 0 && sections.get(i - 1).to() > section.from()) {
                Section other = sections.get(i - 1);
                return Stages.impossible(
                        part, "was held", section.acquire(), other.acquire(), other.release());
            }
            Value answer = events.get(part.completions()[section.acquire()]).value();
            if (answer instanceof Value.Int(long given)) {
                if (given <= token) {
                    return Stages.impossible(part, "token fell", section.acquire(), tokenFrom);
                }
                token = given;
                tokenFrom = section.acquire();
            }
            order.add(section.acquire());
            if (section.release() >= 0) {
                order.add(section.release());
            }
        }
        return new Fits(order.toArray());
    }
}
