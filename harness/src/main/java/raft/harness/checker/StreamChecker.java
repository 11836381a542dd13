package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.history.EventSink;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryHeader;
import raft.harness.history.Value;
import raft.harness.model.Model;

import java.io.IOException;
import java.io.Serial;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Judges a history that is larger than memory by reading it several times. The first time it learns
 * which operations never end, which otherwise could not be told from those that end late; then a
 * {@link LiveChecker} walks it, which holds no more than what can still matter: at a quiescent
 * point that is the set of possible states, elsewhere also the operations that are open. Where its
 * beam was too narrow it is walked again with a wider one. A violation is explained from the events
 * of its part, where those fit.
 */
public final class StreamChecker {
    private static final int NARROWEST = 64;
    private static final int GROWTH = 8;
    private static final int WIDEST = 1 << 15;
    private static final int EVENT_BYTES = 400;
    private static final int EXPLAINED_EVENTS_MOST = 400_000;

    /** What completed after the dead end may have helped to find it. */
    private static final int EVENTS_AFTER = 2_000;

    private static final int RELATED_MOST = 40;
    private static final double EXPLAIN_SECONDS = 10;

    /** A history that can be read again and again. */
    @FunctionalInterface
    public interface Source {
        /**
         * Gives the header and all events in order.
         *
         * @param watch to be called now and then while none comes; it may end the reading with an
         *     unchecked exception of its own
         */
        void feed(EventSink sink, Runnable watch) throws IOException;
    }

    /** Ends a reading before its end. */
    private static final class Enough extends RuntimeException {
        @Serial private static final long serialVersionUID = 1L;

        Enough() {
            super("enough was read", null, false, false);
        }
    }

    private final Source source;
    private final Function<HistoryHeader, Model> models;
    private final Meter meter;
    private final Meter.Gauge gauge;
    private final Set<Long> neverEnding = new HashSet<>();
    private @Nullable Model model;
    private long operationCount;

    private StreamChecker(Source source, Function<HistoryHeader, Model> models, Meter meter) {
        this.source = source;
        this.models = models;
        this.meter = meter;
        gauge = meter.gauge();
    }

    /**
     * A verdict and the model it is about.
     *
     * @param model its name
     */
    public record Result(Verdict verdict, String model) {}

    /**
     * Reads and judges; the reading counts as well.
     *
     * @param models chooses the model by the header; may throw IllegalArgumentException
     * @throws IOException when the source cannot be read or understood
     * @throws IllegalArgumentException when the history is not well-formed
     */
    public static Result check(
            Source source,
            Function<HistoryHeader, Model> models,
            Budget budget,
            Checker.Progress progress)
            throws IOException {
        return check(source, models, new Meter(budget, progress));
    }

    static Result check(Source source, Function<HistoryHeader, Model> models, Meter meter)
            throws IOException {
        var checker = new StreamChecker(source, models, meter);
        Verdict verdict;
        try {
            verdict = checker.run();
        } catch (Meter.Spent e) {
            verdict = checker.unknown("while it was read");
        } catch (OutOfMemoryError e) {
            verdict = checker.unknown("because the heap is too small for it");
        }
        return new Result(verdict, checker.model == null ? "" : checker.model.name());
    }

    private Verdict unknown(String where) {
        return new Verdict.Unknown(
                operationCount,
                String.format(
                        Locale.ROOT,
                        "the budget of %s ended after %.1f s %s, with %d operations read",
                        meter.what().isEmpty() ? "memory" : meter.what(),
                        meter.seconds(),
                        where,
                        operationCount));
    }

    private Verdict run() throws IOException {
        scan();
        meter.begin(operationCount);
        Verdict verdict = unknown("before the search began");
        for (int width = NARROWEST; width <= WIDEST; width *= GROWTH) {
            LiveChecker live = walk(width);
            verdict = live.finish();
            if (verdict instanceof Verdict.Violation violation) {
                return new Verdict.Violation(operationCount, explained(live, violation));
            }
            if (verdict instanceof Verdict.Valid || meter.spent() || live.settled()) {
                break;
            }
            Verdict.Explanation stale = width == NARROWEST ? contradiction(live) : null;
            if (stale != null) {
                return new Verdict.Violation(operationCount, stale);
            }
        }
        return verdict;
    }

    private void watch() {
        if (!gauge.lookNow()) {
            throw new Meter.Spent();
        }
    }

    /** Which invocations never end, by their place among the events, and how many there are. */
    private void scan() throws IOException {
        Map<Long, Long> open = new HashMap<>();
        source.feed(
                new EventSink() {
                    private long place;

                    @Override
                    public void header(HistoryHeader header) {
                        model = models.apply(header);
                    }

                    @Override
                    public void event(HistoryEvent event) {
                        gauge.check();
                        if (event.process() != HistoryEvent.NEMESIS) {
                            if (event.type() == HistoryEvent.Type.INVOKE) {
                                gauge.at(++operationCount);
                                open.put(event.process(), place);
                                Preparation.requireKnown(event, chosen());
                            } else {
                                open.remove(event.process());
                            }
                        }
                        place++;
                    }
                },
                this::watch);
        neverEnding.addAll(open.values());
    }

    private Model chosen() {
        if (model == null) {
            throw new IllegalStateException("an event came before the header");
        }
        return model;
    }

    private LiveChecker walk(int width) throws IOException {
        var live = new LiveChecker(chosen(), meter, width);
        try {
            source.feed(
                    new EventSink() {
                        private long place;

                        @Override
                        public void header(HistoryHeader header) {
                            // It is the same as the first time.
                        }

                        @Override
                        public void event(HistoryEvent event) {
                            gauge.at(live.judgedCount());
                            if (!gauge.step() || live.settled()) {
                                throw new Enough();
                            }
                            if (neverEnding.contains(place++)) {
                                live.addNeverEnding(event);
                            } else {
                                live.add(event);
                            }
                        }
                    },
                    this::watch);
        } catch (Enough | Meter.Spent e) {
            live.spent();
        }
        return live;
    }

    // ---- explanation

    private Verdict.Explanation explained(LiveChecker live, Verdict.Violation found)
            throws IOException {
        Value name = live.concernedPart();
        HistoryEvent deadEnd = live.deadEnd();
        if (name == null || deadEnd == null) {
            return found.explanation();
        }
        long fits = Math.min(EXPLAINED_EVENTS_MOST, meter.memoryBytes() / 2 / EVENT_BYTES);
        var collected = new PartSink(name, deadEnd, (int) fits);
        try {
            source.feed(collected, this::watch);
        } catch (Enough e) {
            // The rest cannot matter.
        } catch (Meter.Spent e) {
            return found.explanation();
        }
        if (collected.overflown) {
            Verdict.Explanation few = contradiction(live);
            return few == null ? related(found.explanation(), collected.related) : few;
        }
        Meter some = meter.within(EXPLAIN_SECONDS, meter.askedBytes() / 2);
        Verdict verdict = new Check(collected.events, chosen(), Check.Options.DEFAULT, some).run();
        return verdict instanceof Verdict.Violation violation
                ? violation.explanation()
                : found.explanation();
    }

    // ---- contradictions that few operations tell

    /**
     * Of a register: whether the answer that nothing explains, or where a beam got lost, had been
     * overwritten for good. For that the producers of its value and the writes that ended last
     * before are enough: reads, refused cas and producers of values that nobody left needs may be
     * dropped, and a cas may be taken for a write, all of which allows more.
     */
    private Verdict.@Nullable Explanation contradiction(LiveChecker live) throws IOException {
        Value name = live.concernedPart();
        HistoryEvent end = live.deadEnd();
        if (name == null || end == null || chosen().shape() != Model.Shape.REGISTER) {
            return null;
        }
        var few = new FewSink(name, end);
        try {
            source.feed(few, this::watch);
        } catch (Enough e) {
            // What began later cannot matter.
        }
        List<HistoryEvent> events = few.events();
        if (events.isEmpty()) {
            return null;
        }
        Meter some = meter.within(EXPLAIN_SECONDS, meter.askedBytes() / 2);
        Verdict verdict = new Check(events, chosen(), Check.Options.DEFAULT, some).run();
        if (!(verdict instanceof Verdict.Violation violation)) {
            return null;
        }
        Verdict.Explanation why = violation.explanation();
        return why.events().stream().anyMatch(e -> few.relaxed.contains(e.index()))
                ? new Verdict.Explanation(
                        why.summary()
                                + " (A cas that succeeded is taken as a write here, which only"
                                + " allows more.)",
                        why.events(),
                        why.operations(),
                        why.deadEnd())
                : why;
    }

    /** Keeps the producers of the value that an operation needed, and writes just before it. */
    private final class FewSink implements EventSink {
        private static final int WRITES_MOST = 32;
        private static final int WRITES_REMEMBERED = 512;
        private static final int PRODUCERS_MOST = 20_000;

        private record Whole(HistoryEvent call, HistoryEvent end) {}

        private final Value name;
        private final HistoryEvent dead;
        private final Map<Long, HistoryEvent> open = new HashMap<>();
        private final Map<Long, HistoryEvent> openProducers = new HashMap<>();
        private final List<Whole> producers = new ArrayList<>();
        private final ArrayDeque<Whole> writes = new ArrayDeque<>();
        private @Nullable Whole lost;
        private @Nullable Value needed;
        final Set<Long> relaxed = new HashSet<>();

        FewSink(Value name, HistoryEvent dead) {
            this.name = name;
            this.dead = dead;
            if (dead.type() == HistoryEvent.Type.OK && dead.f().equals("read")) {
                needed = dead.value();
            } else if (dead.type() == HistoryEvent.Type.OK
                    && dead.f().equals("cas")
                    && dead.value() instanceof Value.Seq(List<Value> pair)
                    && pair.size() == 2) {
                needed = pair.getFirst();
            }
        }

        @Override
        public void header(HistoryHeader header) {
            // It is the same as the first time.
        }

        @Override
        public void event(HistoryEvent event) {
            gauge.check();
            if (needed == null) {
                throw new Enough();
            }
            if (event.process() == HistoryEvent.NEMESIS) {
                return;
            }
            if (event.type() == HistoryEvent.Type.INVOKE) {
                if (chosen().part()
                        .apply(Preparation.operation(event, null, chosen()))
                        .equals(name)) {
                    open.put(event.process(), event);
                    if (needed.equals(produced(event))) {
                        openProducers.put(event.process(), event);
                    }
                }
                return;
            }
            HistoryEvent call = open.remove(event.process());
            if (call == null) {
                return;
            }
            var whole = new Whole(call, event);
            if (event.index() == dead.index()) {
                lost = whole;
                throw new Enough();
            }
            boolean producer = openProducers.remove(event.process()) != null;
            if (event.type() == HistoryEvent.Type.FAIL) {
                return;
            }
            if (producer) {
                producers.add(whole);
                if (producers.size() > PRODUCERS_MOST) {
                    throw new Enough();
                }
            } else if (produced(call) != null && event.type() == HistoryEvent.Type.OK) {
                writes.addLast(whole);
                if (writes.size() > WRITES_REMEMBERED) {
                    writes.removeFirst();
                }
            }
        }

        private static @Nullable Value produced(HistoryEvent call) {
            return switch (call.f()) {
                case "write" -> call.value();
                case "cas" ->
                        call.value() instanceof Value.Seq(List<Value> pair) && pair.size() == 2
                                ? pair.get(1)
                                : null;
                default -> null;
            };
        }

        /** In order; empty where the operation was not found or needs no value. */
        List<HistoryEvent> events() {
            List<HistoryEvent> events = new ArrayList<>();
            if (lost == null) {
                return events;
            }
            for (Whole producer : producers) {
                events.add(asWrite(producer.call()));
                events.add(asWrite(producer.end()));
            }
            // Those that have not ended may have happened.
            openProducers.values().forEach(call -> events.add(asWrite(call)));
            long began = lost.call().index();
            writes.stream()
                    .filter(write -> write.end().index() < began)
                    .sorted(Comparator.comparingLong((Whole w) -> w.call().index()).reversed())
                    .limit(WRITES_MOST)
                    .forEach(
                            write -> {
                                events.add(asWrite(write.call()));
                                events.add(asWrite(write.end()));
                            });
            events.removeIf(event -> event.index() == began);
            events.add(lost.call());
            events.add(lost.end());
            events.sort(Comparator.comparingLong(HistoryEvent::index));
            return events;
        }

        private HistoryEvent asWrite(HistoryEvent event) {
            if (!event.f().equals("cas")) {
                return event;
            }
            relaxed.add(event.index());
            Value value =
                    event.value() instanceof Value.Seq(List<Value> pair) && pair.size() == 2
                            ? pair.get(1)
                            : event.value();
            return new HistoryEvent(
                    event.index(),
                    event.timeNanos(),
                    event.process(),
                    event.type(),
                    "write",
                    event.key(),
                    value,
                    event.node(),
                    event.error(),
                    event.term(),
                    event.logIndex());
        }
    }

    /** All that has to do with the answer that nothing explains, and the latest events. */
    private static Verdict.Explanation related(
            Verdict.Explanation found, List<HistoryEvent> related) {
        List<HistoryEvent> shown = new ArrayList<>(related);
        for (HistoryEvent event : found.events()) {
            if (!shown.contains(event)) {
                shown.add(event);
            }
        }
        shown.sort(Comparator.comparingLong(HistoryEvent::index));
        return new Verdict.Explanation(found.summary(), shown);
    }

    /** Keeps the events of one part up to its dead end and some more. */
    private final class PartSink implements EventSink {
        final List<HistoryEvent> events = new ArrayList<>();
        final List<HistoryEvent> related = new ArrayList<>();
        private final Map<Long, HistoryEvent> open = new HashMap<>();
        private final Value name;
        private final HistoryEvent deadEnd;
        private final int most;
        private int after;
        boolean overflown;

        PartSink(Value name, HistoryEvent deadEnd, int most) {
            this.name = name;
            this.deadEnd = deadEnd;
            this.most = most;
        }

        @Override
        public void header(HistoryHeader header) {
            // It is the same as the first time.
        }

        @Override
        public void event(HistoryEvent event) {
            gauge.check();
            boolean call = event.type() == HistoryEvent.Type.INVOKE;
            if (event.process() == HistoryEvent.NEMESIS || !(call ? mine(event) : ends(event))) {
                return;
            }
            if (related.size() < RELATED_MOST && mentions(event.value(), deadEnd.value())) {
                related.add(event);
            }
            if (events.size() == most) {
                events.clear();
                overflown = true;
            }
            if (!overflown) {
                events.add(event);
            }
            if (event.index() > deadEnd.index() && ++after > EVENTS_AFTER) {
                throw new Enough();
            }
        }

        private boolean mine(HistoryEvent call) {
            Model chosen = chosen();
            boolean mine =
                    chosen.part().apply(Preparation.operation(call, null, chosen)).equals(name);
            if (mine) {
                open.put(call.process(), call);
            }
            return mine;
        }

        private boolean ends(HistoryEvent end) {
            return open.remove(end.process()) != null;
        }

        private static boolean mentions(Value value, Value wanted) {
            return !(wanted instanceof Value.Nil)
                    && (value.equals(wanted)
                            || (value instanceof Value.Seq(List<Value> values)
                                    && values.contains(wanted)));
        }
    }
}
