package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryWriter;
import raft.harness.history.Value;
import raft.harness.model.Model;
import raft.harness.model.Operation;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Judges a history while it is being recorded, or one that is larger than memory. It is fed with
 * events in order and holds what can still matter: for each part the frontier of a beam search, and
 * the events from the oldest operation on whose end is not known yet. An operation is judged as
 * soon as everything invoked before its completion has ended, so the lag is the longest operation
 * that is open.
 *
 * <p>In registers crashed operations are used only where they are observed, see {@link
 * GeneralSearch}, so their number costs nothing.
 *
 * <p>In registers it is also seen at once, and without any search, when a value is read that had
 * been overwritten for good, see {@link Overwrites}.
 *
 * <p>A violation is certain. Where the beam had to leave something out a dead end proves nothing;
 * then this part is {@link Verdict.Unknown} and the whole history has to be judged afterwards by
 * {@link Checker#check}.
 *
 * <p>For one thread.
 */
public final class LiveChecker {
    /**
     * The beam along a run. With 20 processes and operations that crash 64 is too narrow sooner or
     * later; this costs 15 µs of processor an operation there and nothing where less is open.
     */
    private static final int REGISTER_WIDTH = 512;

    /** The same for the other models, whose states cost more. */
    private static final int WIDTH = 64;

    private static final int CONTEXT_EVENTS = 24;

    /** Rough cost of an event that is held back. */
    private static final int WAITING_BYTES = 300;

    private final Model model;
    private final Meter meter;
    private final Meter.Gauge gauge;
    private final int width;
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    private final Map<Long, Waiting> open = new HashMap<>();
    private final Map<Value, Track> tracks = new HashMap<>();
    private final @Nullable Overwrites overwrites;
    private long operationCount;
    private long judgedCount;
    private int nextOperation;
    private long position;
    private @Nullable Track violated;
    private @Nullable HistoryEvent deadEnd;
    private Verdict.@Nullable Explanation explanation;
    private @Nullable String giveUp;
    private boolean stopped;

    /** One event that is held back; an invocation knows its end when there is one. */
    private static final class Waiting {
        final HistoryEvent event;
        final @Nullable Waiting invocation;
        @Nullable Waiting end;
        boolean ended;
        long place;
        int operation = -1;
        @Nullable Track track;

        /** Of those that changed the value and had ended before this began, the last to begin. */
        @Nullable Waiting changedBefore;

        Waiting(HistoryEvent event, @Nullable Waiting invocation) {
            this.event = event;
            this.invocation = invocation;
        }
    }

    /** The search of one part, and its latest events for an explanation. */
    private static final class Track {
        final Value name;
        final GeneralSearch search;
        final Meter.Gauge gauge;
        final Deque<HistoryEvent> latest = new ArrayDeque<>();
        boolean lost;

        /** Of those that changed the value and have ended, the last to begin. */
        @Nullable Waiting change;

        Track(Value name, GeneralSearch search, Meter.Gauge gauge) {
            this.gauge = gauge;
            this.name = name;
            this.search = search;
        }
    }

    /**
     * @param budget how much time and memory all of it may take together
     */
    public LiveChecker(Model model, Budget budget) {
        this(
                model,
                new Meter(budget, Checker.Progress.NONE),
                model.shape() == Model.Shape.REGISTER ? REGISTER_WIDTH : WIDTH);
    }

    LiveChecker(Model model, Meter meter, int width) {
        this.model = model;
        this.meter = meter;
        this.width = width;
        gauge = meter.gauge();
        overwrites = model.shape() == Model.Shape.REGISTER ? new Overwrites() : null;
    }

    /** The same without a limit of time, for a run whose length is not known. */
    public LiveChecker(Model model, long memoryBytes) {
        this(model, new Budget(Duration.ofDays(365), memoryBytes));
    }

    /**
     * Takes the next event. Returns at once when a violation is known already.
     *
     * @throws IllegalArgumentException when the event fits no history: an end without a beginning
     */
    public void add(HistoryEvent event) {
        if (event.process() == HistoryEvent.NEMESIS) {
            return;
        }
        if (event.type() == HistoryEvent.Type.INVOKE) {
            operationCount++;
            var begin = new Waiting(event, null);
            if (open.put(event.process(), begin) != null) {
                throw new IllegalArgumentException(
                        "event " + event.index() + ": the process has an open operation");
            }
            enqueue(begin);
            if (((long) waiting.size() & 1023) == 1023) {
                holdBackNoMoreThanFits();
            }
        } else {
            Waiting begin = open.remove(event.process());
            if (begin == null) {
                throw new IllegalArgumentException(
                        "event " + event.index() + ": the process has no open operation");
            }
            var end = new Waiting(event, begin);
            begin.end = end;
            begin.ended = true;
            enqueue(end);
        }
        release();
    }

    /** The same for an invocation of which it is known that no end will follow. */
    void addNeverEnding(HistoryEvent event) {
        operationCount++;
        var begin = new Waiting(event, null);
        begin.ended = true;
        enqueue(begin);
        release();
    }

    private void holdBackNoMoreThanFits() {
        Waiting oldest = waiting.getFirst();
        if (explanation == null && !gauge.allows((long) waiting.size() * WAITING_BYTES)) {
            waiting.clear();
            stopped = true;
            if (giveUp == null) {
                giveUp =
                        "the budget of memory ended: "
                                + oldest.event.f()
                                + " by process "
                                + oldest.event.process()
                                + " (event "
                                + oldest.event.index()
                                + ") has not ended, and what came after it has to be held back";
            }
        }
    }

    /** Whether nothing that may still come changes what is known. */
    boolean settled() {
        return explanation != null || stopped;
    }

    /** The reading ended early: where nothing is known, that is because the budget did. */
    void spent() {
        if (explanation == null && giveUp == null) {
            Waiting at = waiting.peekFirst();
            giveUp =
                    "the budget of "
                            + meter.what()
                            + " ended "
                            + (at == null
                                    ? "after operation " + operationCount
                                    : "at event " + at.event.index())
                            + " with "
                            + open.size()
                            + " operations open and "
                            + tracks.values().stream()
                                    .mapToInt(t -> t.search.width())
                                    .max()
                                    .orElse(0)
                            + " configurations wide";
        }
    }

    /** Operations whose end has been judged. */
    public long judgedCount() {
        return judgedCount;
    }

    /** What is known so far; Valid means that nothing is wrong up to {@link #judgedCount}. */
    public Verdict verdict() {
        if (explanation != null) {
            return new Verdict.Violation(operationCount, explanation);
        }
        return giveUp == null
                ? new Verdict.Valid(operationCount)
                : new Verdict.Unknown(operationCount, giveUp);
    }

    /** No more events will come: what is still open may have happened or not. */
    public Verdict finish() {
        for (Waiting begin : List.copyOf(open.values())) {
            begin.ended = true;
        }
        open.clear();
        release();
        if (giveUp == null && tracks.values().stream().anyMatch(t -> t.search.trusted())) {
            giveUp =
                    "no contradiction was found, but after operations crashed some refused cas had"
                            + " to be taken on trust; check the recorded history afterwards";
        }
        return verdict();
    }

    private void enqueue(Waiting event) {
        event.place = position++;
        if (!stopped) {
            waiting.addLast(event);
        }
    }

    /** The time of the oldest event that is held back, or -1 where none is. */
    public long heldBackSinceNanos() {
        Waiting first = waiting.peekFirst();
        return first == null ? -1 : first.event.timeNanos();
    }

    /** The part that was violated, or in which the search got lost first. */
    @Nullable Value concernedPart() {
        return violated == null ? null : violated.name;
    }

    /** The end that nothing explains, or that the search could not. */
    @Nullable HistoryEvent deadEnd() {
        return deadEnd;
    }

    private void release() {
        while (explanation == null && !waiting.isEmpty()) {
            Waiting first = waiting.getFirst();
            if (first.invocation == null && !first.ended) {
                return;
            }
            waiting.removeFirst();
            if (first.invocation == null) {
                begin(first);
            } else {
                judgedCount++;
                end(first.invocation, first);
            }
        }
        if (explanation != null) {
            waiting.clear();
        }
    }

    private void begin(Waiting begin) {
        HistoryEvent completion = begin.end == null ? null : begin.end.event;
        if (completion != null
                && completion.type() == HistoryEvent.Type.FAIL
                && !Preparation.refusal(begin.event, completion)) {
            return;
        }
        Operation operation = Preparation.operation(begin.event, completion, model);
        if (operation.outcome() == Operation.Outcome.UNKNOWN && model.pure().test(operation)) {
            return;
        }
        Value name = model.part().apply(operation);
        Track track = tracks.computeIfAbsent(name, this::newTrack);
        remember(track, begin.event);
        boolean crashed = completion == null || completion.type() == HistoryEvent.Type.INFO;
        begin.track = crashed ? null : track;
        begin.changedBefore = track.change;
        if (overwrites != null) {
            overwrites.began(track.name, operation);
        }
        if (track.lost) {
            return;
        }
        begin.operation = nextOperation++;
        long returns = crashed || begin.end == null ? GeneralSearch.CRASHED : begin.end.place;
        if (!track.search.invoke(begin.operation, operation, returns)) {
            lose(track, begin.event, "the budget of " + meter.what() + " ended");
        }
    }

    private Track newTrack(Value name) {
        boolean register = model.shape() == Model.Shape.REGISTER;
        Meter.Gauge its = meter.gauge();
        return new Track(name, new GeneralSearch(model, its, width, false, register), its);
    }

    private void end(Waiting begin, Waiting end) {
        Track track = begin.track;
        if (track == null) {
            return;
        }
        remember(track, end.event);
        if (overwrites != null && overwritten(overwrites, track, begin, end)) {
            return;
        }
        if (track.lost) {
            return;
        }
        track.gauge.at(judgedCount);
        switch (track.search.complete(begin.operation)) {
            case GOES_ON -> {}
            case SPENT -> lose(track, end.event, "the budget of " + meter.what() + " ended");
            case STUCK -> {
                if (track.search.dropped()) {
                    lose(track, end.event, "the beam of " + width + " was too narrow");
                } else {
                    violated = track;
                    deadEnd = end.event;
                    explanation = explain(track, end.event);
                }
            }
        }
    }

    /**
     * Whether a completed operation saw a value that was gone for good: that is certain whatever a
     * beam had to leave out before, and also where the search got lost.
     */
    private boolean overwritten(Overwrites known, Track track, Waiting begin, Waiting end) {
        Operation operation = Preparation.operation(begin.event, end.event, model);
        Waiting change = begin.changedBefore;
        // So that it does not keep all changes there ever were.
        begin.changedBefore = null;
        Value seen = Overwrites.seen(operation);
        if (seen != null && change != null && known.gone(track.name, seen, change.place)) {
            violated = track;
            deadEnd = end.event;
            explanation = overwrittenBy(track, change, seen, begin, end.event);
            return true;
        }
        if (known.ended(track.name, operation, end.place)
                && (track.change == null || track.change.place < begin.place)) {
            track.change = begin;
        }
        return false;
    }

    private static Verdict.Explanation overwrittenBy(
            Track track, Waiting change, Value seen, Waiting begin, HistoryEvent end) {
        HistoryEvent ended = change.end == null ? change.event : change.end.event;
        return new Verdict.Explanation(
                String.format(
                        Locale.ROOT,
                        "%s%s by process %d (event %d) saw %s, but %s %s by process %d (event %d)"
                            + " had finished %.3f ms before it began, and %s was not written again."
                            + " Shown are these two, not the smallest part.",
                        key(track),
                        end.f(),
                        end.process(),
                        end.index(),
                        seen,
                        change.event.f(),
                        change.event.value(),
                        change.event.process(),
                        change.event.index(),
                        (begin.event.timeNanos() - ended.timeNanos()) / 1e6,
                        seen),
                List.of(change.event, ended, begin.event, end));
    }

    private static void remember(Track track, HistoryEvent event) {
        track.latest.addLast(event);
        if (track.latest.size() > CONTEXT_EVENTS) {
            track.latest.removeFirst();
        }
    }

    private void lose(Track track, HistoryEvent event, String why) {
        track.lost = true;
        if (giveUp == null) {
            violated = track;
            deadEnd = event;
            giveUp =
                    why
                            + " at event "
                            + event.index()
                            + " with "
                            + track.search.openCount()
                            + " operations open and "
                            + track.search.width()
                            + " configurations wide; check the recorded history afterwards";
        }
    }

    private static String key(Track track) {
        return track.name instanceof Value.Nil ? "" : "Key " + track.name + ": ";
    }

    private static Verdict.Explanation explain(Track track, HistoryEvent end) {
        List<HistoryEvent> latest = new ArrayList<>(track.latest);
        return new Verdict.Explanation(
                key(track)
                        + "no order explains "
                        + HistoryWriter.line(end)
                        + "; just before it only "
                        + String.join(" or ", track.search.possibleStates(5))
                        + " was possible. Shown are the latest events, not the smallest part.",
                latest);
    }
}
