package raft.harness.report;

import org.jspecify.annotations.Nullable;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryIndex;

import tools.jackson.databind.JsonNode;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Why a history is impossible, and the smallest part of it that still is.
 *
 * @param summary whole sentences that name the operations which contradict each other
 * @param events invocations and completions, in order
 */
public record Counterexample(String summary, List<HistoryEvent> events) {
    private static final Pattern NUMBER = Pattern.compile("^\\s*(\\d+)\\s.*");

    public Counterexample {
        events = List.copyOf(events);
    }

    /** What a run's results say; null where they tell of no impossible history. */
    public static @Nullable Counterexample of(RunFiles run, HistoryIndex history) {
        String explanation = run.explanation();
        if (explanation == null) {
            return null;
        }
        List<HistoryEvent> events = new ArrayList<>();
        for (JsonNode line : run.results().path("counterexample")) {
            Matcher matcher = NUMBER.matcher(line.asString(""));
            if (matcher.matches() && Long.parseLong(matcher.group(1)) < history.size()) {
                events.add(history.event((int) Long.parseLong(matcher.group(1))));
            }
        }
        return new Counterexample(explanation, events);
    }

    /** When its first operation began, in nanoseconds since the run began. */
    public long fromNanos() {
        return events.isEmpty() ? 0 : events.getFirst().timeNanos();
    }

    /** When its last event came. */
    public long toNanos() {
        return events.isEmpty() ? 0 : events.getLast().timeNanos();
    }

    /**
     * Its events as a history that can be read and judged by itself. Where a completion was left
     * out and the process went on, the outcome is said to be unknown; its number stays, because
     * whose lock it is depends on it.
     */
    public List<HistoryEvent> standingAlone() {
        NavigableMap<Long, HistoryEvent> alone = new TreeMap<>();
        events.forEach(event -> alone.put(event.index(), event));
        Map<Long, HistoryEvent> open = new HashMap<>();
        for (HistoryEvent event : events) {
            if (event.type() != HistoryEvent.Type.INVOKE) {
                open.remove(event.process());
                continue;
            }
            HistoryEvent unended = open.put(event.process(), event);
            if (unended != null) {
                // The completion that was left out came between the two, so a number is free.
                long index = event.index() - 1;
                while (alone.containsKey(index)) {
                    index--;
                }
                long timeNanos = alone.lowerEntry(index).getValue().timeNanos();
                alone.put(index, unknown(unended, index, timeNanos));
            }
        }
        return List.copyOf(alone.values());
    }

    private static HistoryEvent unknown(HistoryEvent invocation, long index, long timeNanos) {
        return new HistoryEvent(
                index,
                timeNanos,
                invocation.process(),
                HistoryEvent.Type.INFO,
                invocation.f(),
                invocation.key(),
                invocation.value(),
                null,
                "its outcome does not matter here",
                0,
                0);
    }

    /** What the cluster was doing then: faults in force and who led, one sentence each. */
    public List<String> surroundings(RunFiles run, HistoryIndex history) {
        List<String> words = new ArrayList<>();
        long end = history.size() == 0 ? 0 : history.timeNanos(history.size() - 1);
        for (FaultSpan fault : FaultSpan.of(history)) {
            // Between the two it may already be felt: links are cut one after the other.
            long from = fault.askedNanos();
            if (from <= toNanos() && fault.endNanos(end) >= fromNanos()) {
                words.add(
                        String.format(
                                Locale.ROOT,
                                "%s (%s) was asked for at %.3f s and %s until %.3f s.",
                                fault.name(),
                                fault.action(),
                                from / 1e9,
                                fault.isProven()
                                        ? String.format(
                                                Locale.ROOT,
                                                "in force, proven, from %.3f s",
                                                Math.max(from, fault.installedNanos()) / 1e9)
                                        : fault.status(),
                                fault.endNanos(end) / 1e9));
            }
        }
        if (words.isEmpty()) {
            words.add("No fault was in force.");
        }
        JsonNode before = null;
        for (JsonNode leader : run.results().path("leaders")) {
            long seen = leader.path("seenMillis").asLong(0) * 1_000_000;
            if (seen > toNanos()) {
                break;
            }
            if (seen >= fromNanos()) {
                words.add(leads(leader, "was first seen to lead"));
            } else {
                before = leader;
            }
        }
        if (before != null) {
            words.add(0, leads(before, "was the newest leader when it began, first seen"));
        }
        return words;
    }

    private static String leads(JsonNode leader, String words) {
        return String.format(
                Locale.ROOT,
                "%s %s in term %d, at %.1f s.",
                leader.path("leader").asString("?"),
                words,
                leader.path("term").asLong(0),
                leader.path("seenMillis").asLong(0) / 1e3);
    }
}
