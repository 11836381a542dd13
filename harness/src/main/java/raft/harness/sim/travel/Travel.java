package raft.harness.sim.travel;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Cluster;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Inspection;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.LogWindow;
import raft.harness.cluster.NodeStatus;
import raft.harness.cluster.SelfChecking;
import raft.harness.cluster.Transition;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultAction;
import raft.harness.sim.NodeCode;
import raft.harness.sim.SimOptions;
import raft.harness.sim.Steppable;
import raft.harness.sim.Steppable.NodeView;
import raft.harness.sim.Steppable.Occurrence;
import raft.harness.sim.travel.Decision.Act;
import raft.harness.sim.travel.Moment.Change;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;

/**
 * A simulated cluster with a past and several futures. As a {@link Cluster} it goes forward like
 * any other; beside that it can go back to any event, which it does by running the same options and
 * decisions anew up to there, and one pending message, timer or fsync can be treated differently.
 *
 * <p>Decisions of a loaded run come at the event they came at. Once a person has changed something
 * before them events no longer count alike, and they come at their virtual time instead: what the
 * clients do stays the same, so that what differs is the consequence of the change.
 *
 * <p>A decision taken after going back drops what a person had decided later; the loaded run's own
 * decisions stay. For one thread; a second one only brings another world to a place that this one
 * has passed.
 */
public final class Travel implements Cluster, Inspection, SelfChecking {
    /** What {@link #why} can be asked about, of a node. */
    public static final List<String> FIELDS =
            List.of(
                    "role",
                    "term",
                    "votedFor",
                    "leader",
                    "commit",
                    "last",
                    "snapshot",
                    "members",
                    "state");

    /** Told what goes on, also while the past is run anew. */
    public interface Listener {
        /** Everything is forgotten and begins at time 0. */
        void restarted();

        void decided(Decision decision);

        /**
         * @param nowNanos when it came
         */
        void completed(Completion completion, long nowNanos);

        /** Something visible changed in a node. */
        void changed(Moment moment);
    }

    private final NodeCode code;
    private final SimOptions options;
    private final Listener listener;

    private Steppable world;
    private final List<Moment> moments = new ArrayList<>();
    private final TreeMap<String, NodeView> views = new TreeMap<>();
    private final ArrayDeque<Completion> completions = new ArrayDeque<>();
    private final List<Decision> past = new ArrayList<>();
    private ArrayDeque<Decision> future;

    /** How far behind the other world is brought, and how far it may fall back. */
    private static final long WAYPOINT_EVENTS = 4_000;

    private static final long WAYPOINT_LAG_MAX_EVENTS = 16_000;

    /**
     * Another world on the same way, or on its way there. Nothing is done with it here before it
     * has come.
     *
     * @param event behind which it stands, with nothing decided there yet
     */
    private record Waypoint(long event, CompletableFuture<Steppable> world) {}

    private @Nullable Waypoint waypoint;

    /**
     * All that the listener was told, and between which events; what of it stays after going back.
     */
    private final List<Told> told = new ArrayList<>();

    /** Something that the listener was told after so many events. */
    private sealed interface Told {
        /**
         * @param diverged as it was from then on
         */
        record Decided(long afterEvent, Decision decision, boolean diverged) implements Told {}

        record Completed(long afterEvent, Completion completion, long nowNanos) implements Told {}

        record Changed(Moment moment) implements Told {}
    }

    /** Whether a person's decision came before some of the loaded run's. */
    private boolean diverged;

    /** True while the past is run anew: nobody waits for its completions. */
    private boolean repeating;

    /**
     * A cluster at time 0.
     *
     * @param script what a loaded run asks for, empty for a cluster that only obeys a person
     */
    public Travel(NodeCode code, SimOptions options, List<Decision> script, Listener listener) {
        this.code = code;
        this.options = options;
        this.listener = listener;
        this.future = new ArrayDeque<>(script);
        this.world = start();
        look();
    }

    private Steppable start() {
        if (code.start(options) instanceof Steppable steppable) {
            return steppable;
        }
        throw new IllegalStateException("this cluster cannot be run step by step");
    }

    // ---- A cluster like any other ----

    @Override
    public String kind() {
        return "sim";
    }

    @Override
    public List<String> nodes() {
        return world.nodes();
    }

    @Override
    public long nowNanos() {
        return world.nowNanos();
    }

    @Override
    public void invoke(Invocation invocation) {
        decide("", new Act.Invoke(invocation));
    }

    @Override
    public void inject(ActiveFault fault) {
        decide("", new Act.Inject(fault));
    }

    @Override
    public void heal(ActiveFault fault) {
        decide("", new Act.Heal(fault));
    }

    @Override
    public void observe() {
        decide("", new Act.Observe());
    }

    @Override
    public void healAll() {
        decide("", new Act.HealAll());
    }

    @Override
    public void close() {
        world.close();
    }

    @Override
    public List<String> brokenInvariants() {
        return world.brokenInvariants();
    }

    @Override
    public @Nullable Completion poll(long deadlineNanos) {
        keepWaypoint();
        while (completions.isEmpty()) {
            if (!advance(deadlineNanos)) {
                return null;
            }
        }
        return completions.pollFirst();
    }

    // ---- Forward ----

    /**
     * The next event or decision up to {@code deadlineNanos}; where there is none the clock moves
     * there and false is returned.
     */
    private boolean advance(long deadlineNanos) {
        if (!world.brokenInvariants().isEmpty()) {
            return false;
        }
        Decision next = future.peekFirst();
        boolean exact = next != null && (!diverged || next.byHand());
        if (exact && world.eventCount() >= next.afterEvent()) {
            if (next.timeNanos() > deadlineNanos) {
                moveClock(deadlineNanos);
                return false;
            }
            takeUp();
            return true;
        }
        long until =
                next == null || exact ? deadlineNanos : Math.min(deadlineNanos, next.timeNanos());
        Occurrence happened = world.step(until);
        if (happened != null) {
            remember(happened);
            return true;
        }
        if (next != null && next.timeNanos() <= deadlineNanos) {
            takeUp();
            return true;
        }
        moveClock(deadlineNanos);
        return false;
    }

    private void takeUp() {
        Decision next = future.removeFirst();
        moveClock(next.timeNanos());
        carryOut(next);
    }

    private void moveClock(long nanos) {
        if (nanos > world.nowNanos() && world.nextNanos() > nanos) {
            pollWorld(nanos);
        }
    }

    private void pollWorld(long nanos) {
        try {
            for (Completion completion = world.poll(nanos);
                    completion != null;
                    completion = world.poll(nanos)) {
                listener.completed(completion, world.nowNanos());
                told.add(new Told.Completed(world.eventCount(), completion, world.nowNanos()));
                if (!repeating) {
                    completions.addLast(completion);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("a simulated cluster never waits", e);
        }
    }

    private void remember(Occurrence happened) {
        List<Change> changes = look();
        Moment moment = new Moment(world.eventCount(), happened, changes);
        moments.add(moment);
        if (!changes.isEmpty()) {
            listener.changed(moment);
            told.add(new Told.Changed(moment));
        }
        pollWorld(Long.MIN_VALUE);
    }

    /** Compares all nodes with how they were. */
    private List<Change> look() {
        List<Change> changes = new ArrayList<>();
        for (String node : world.nodes()) {
            NodeView now = world.view(node);
            NodeView before = views.put(node, now);
            if (before != null && !before.equals(now)) {
                for (String field : FIELDS) {
                    String was = value(before, field);
                    String is = value(now, field);
                    if (!was.equals(is)) {
                        changes.add(new Change(node, field, was, is));
                    }
                }
            }
        }
        return changes;
    }

    /** A field of a node in words, "nobody" and "none" for what is absent. */
    public static String value(NodeView view, String field) {
        return switch (field) {
            case "role" -> view.role().isEmpty() ? "none" : view.role();
            case "term" -> Long.toString(view.term());
            case "votedFor" -> view.votedFor() == null ? "nobody" : view.votedFor();
            case "leader" -> view.leader() == null ? "nobody" : view.leader();
            case "commit" -> Long.toString(view.commitIndex());
            case "applied" -> Long.toString(view.appliedIndex());
            case "last" -> view.lastIndex() + " of term " + view.lastTerm();
            case "snapshot" -> Long.toString(view.snapshotIndex());
            case "members" ->
                    view.voters().isEmpty()
                            ? "unknown"
                            : String.join(",", view.voters())
                                    + (view.learners().isEmpty()
                                            ? ""
                                            : " and learners " + String.join(",", view.learners()));
            case "state" -> view.state();
            default -> throw new IllegalArgumentException("no field is called " + field);
        };
    }

    // ---- Deciding ----

    /** Does something now, by hand. False where it could not be done. */
    public boolean decide(String words, Act act) {
        // What a person had decided for later belongs to another branch now.
        future.removeIf(Decision::byHand);
        return carryOut(new Decision(world.eventCount(), world.nowNanos(), true, words, act));
    }

    private boolean carryOut(Decision decision) {
        if (decision.byHand() && !future.isEmpty()) {
            diverged = true;
        }
        listener.decided(decision);
        long before = world.eventCount();
        Occurrence hastened =
                decision.act() instanceof Act.Hasten(long sequence) ? pending(sequence) : null;
        boolean done = carryOut(world, decision.act());
        if (done) {
            past.add(decision);
            told.add(new Told.Decided(before, decision, diverged));
        }
        if (hastened != null && done) {
            remember(hastened);
        }
        if (world.eventCount() == before) {
            // Outside of events too something may change: a node that is halted, say.
            look();
        }
        pollWorld(Long.MIN_VALUE);
        return done;
    }

    private @Nullable Occurrence pending(long sequence) {
        return world.pending().stream()
                .filter(pending -> pending.sequence() == sequence)
                .findFirst()
                .orElse(null);
    }

    private static boolean carryOut(Steppable world, Act act) {
        return switch (act) {
            case Act.Invoke(Invocation invocation) -> {
                world.invoke(invocation);
                yield true;
            }
            case Act.Inject(ActiveFault fault) -> {
                world.inject(fault);
                yield true;
            }
            case Act.Heal(ActiveFault fault) -> {
                world.heal(fault);
                yield true;
            }
            case Act.HealAll() -> {
                world.healAll();
                yield true;
            }
            case Act.Observe() -> {
                world.observe();
                yield true;
            }
            case Act.Hasten(long sequence) -> world.hasten(sequence);
            case Act.Drop(long sequence) -> world.drop(sequence);
            case Act.Duplicate(long sequence) -> world.duplicate(sequence);
            case Act.Delay(long sequence, long nanos) -> world.delay(sequence, nanos);
            case Act.FailSync(long sequence, ActiveFault fault) ->
                    world.failSync(sequence, fault.id());
        };
    }

    // ---- To and fro ----

    public SimOptions options() {
        return options;
    }

    /** Events so far. */
    public long eventCount() {
        return world.eventCount();
    }

    public long digest() {
        return world.digest();
    }

    /** When something happens next; Long.MAX_VALUE where nothing is to come. */
    public long nextNanos() {
        Decision next = future.peekFirst();
        return Math.min(world.nextNanos(), next == null ? Long.MAX_VALUE : next.timeNanos());
    }

    /** When the last decision comes, whoever takes it; 0 where there is none. */
    public long lastDecisionNanos() {
        long end = 0;
        for (Decision decision : decisions()) {
            end = Math.max(end, decision.timeNanos());
        }
        return end;
    }

    /** When the loaded run's last decision comes; 0 where nothing was loaded. */
    public long scriptEndNanos() {
        long end = 0;
        for (Decision decision : future) {
            end = Math.max(end, decision.timeNanos());
        }
        for (Decision decision : past) {
            if (!decision.byHand()) {
                end = Math.max(end, decision.timeNanos());
            }
        }
        return end;
    }

    /** Lets one event happen; null where nothing is to come or an invariant is broken. */
    public @Nullable Moment step() {
        int before = moments.size();
        while (moments.size() == before) {
            if (!advance(Long.MAX_VALUE)) {
                return null;
            }
        }
        completions.clear();
        keepWaypoint();
        return moments.getLast();
    }

    /**
     * Goes on until something holds.
     *
     * @param untilNanos at the latest
     * @return whether it held
     */
    public boolean run(BooleanSupplier holds, long untilNanos) {
        boolean held = holds.getAsBoolean();
        while (!held && advance(untilNanos)) {
            held = holds.getAsBoolean();
        }
        completions.clear();
        keepWaypoint();
        return held || holds.getAsBoolean();
    }

    /**
     * Goes to the moment after an event, backwards or forwards.
     *
     * @param number of the event, ≥ 0
     * @return false where the run ends before
     */
    public boolean goTo(long number) {
        if (number < world.eventCount()) {
            goBack(number);
        }
        repeating = true;
        try {
            return run(() -> world.eventCount() >= number, Long.MAX_VALUE);
        } finally {
            repeating = false;
        }
    }

    /** Goes to a moment of virtual time, backwards or forwards. */
    public void goToTime(long nanos) {
        if (nanos < world.nowNanos()) {
            goBack(eventsUpTo(nanos));
        }
        repeating = true;
        try {
            run(() -> world.nowNanos() > nanos, Math.max(0, nanos));
        } finally {
            repeating = false;
        }
    }

    /** All decisions, taken and to come, in their order: what {@link #restore} takes. */
    public List<Decision> decisions() {
        List<Decision> all = new ArrayList<>(past);
        all.addAll(future);
        return all;
    }

    /** Back to time 0, with these decisions to come. */
    public void restore(List<Decision> decisions) {
        goBack(0);
        future = new ArrayDeque<>(decisions);
    }

    /**
     * To the moment after an event that has happened, before what was decided there. A world cannot
     * be copied, so another one goes the same way, from the start or from the waypoint; but what
     * happened on it is known, and needs no words and no looking at nodes a second time, which is
     * most of the work.
     */
    private void goBack(long number) {
        List<Told> before = told.stream().takeWhile(each -> isBefore(each, number)).toList();
        List<Told.Decided> taken = decided(before);
        Steppable earlier = worldAt(number, taken);
        List<Decision> all = decisions();
        world.close();
        world = earlier;
        diverged = !taken.isEmpty() && taken.getLast().diverged;
        past.clear();
        taken.forEach(each -> past.add(each.decision));
        future = new ArrayDeque<>(all.subList(taken.size(), all.size()));
        moments.subList((int) number, moments.size()).clear();
        told.clear();
        told.addAll(before);
        views.clear();
        completions.clear();
        look();
        tellAgain();
        keepWaypoint();
    }

    private static List<Told.Decided> decided(List<Told> told) {
        return told.stream()
                .filter(Told.Decided.class::isInstance)
                .map(Told.Decided.class::cast)
                .toList();
    }

    private Steppable worldAt(long number, List<Told.Decided> taken) {
        Waypoint near = waypoint;
        waypoint = null;
        if (near == null || near.event > number) {
            Steppable fresh = start();
            goOn(fresh, -1, number, taken);
            return fresh;
        }
        Steppable there = near.world.join();
        goOn(there, near.event, number, taken);
        return there;
    }

    /**
     * The same way again, without a word.
     *
     * @param from the event behind which {@code world} stands, with nothing decided there; -1 for
     *     the beginning
     * @param taken what was decided, also before {@code from}
     */
    private static void goOn(Steppable world, long from, long number, List<Told.Decided> taken) {
        for (Told.Decided each : taken) {
            if (each.afterEvent >= from && each.afterEvent < number) {
                repeat(world, each.afterEvent, each.decision);
            }
        }
        if (!world.runTo(number)) {
            throw new IllegalStateException(
                    "going the same way again led to event "
                            + world.eventCount()
                            + " instead of "
                            + number);
        }
        drain(world, Long.MIN_VALUE);
    }

    /**
     * Sees to it that another world stands a little behind this one, for the next step back; a
     * second thread brings it there. One is enough: who goes back once mostly goes back again from
     * there.
     */
    private void keepWaypoint() {
        long target = world.eventCount() - WAYPOINT_EVENTS;
        Waypoint near = waypoint;
        if (target < WAYPOINT_EVENTS
                || (near != null && target - near.event < WAYPOINT_LAG_MAX_EVENTS)) {
            return;
        }
        List<Told.Decided> taken =
                decided(told.stream().takeWhile(each -> isBefore(each, target)).toList());
        CompletableFuture<Steppable> brought =
                near == null
                        ? CompletableFuture.supplyAsync(
                                () -> {
                                    Steppable fresh = start();
                                    goOn(fresh, -1, target, taken);
                                    return fresh;
                                })
                        : near.world.thenApplyAsync(
                                there -> {
                                    goOn(there, near.event, target, taken);
                                    return there;
                                });
        waypoint = new Waypoint(target, brought);
    }

    /** What was decided after an event is yet to come when one stands right behind it. */
    private static boolean isBefore(Told told, long number) {
        return switch (told) {
            case Told.Decided decided -> decided.afterEvent < number;
            case Told.Completed completed -> completed.afterEvent <= number;
            case Told.Changed(Moment moment) -> moment.number() <= number;
        };
    }

    private static void repeat(Steppable world, long afterEvent, Decision decision) {
        boolean there = world.runTo(afterEvent);
        drain(world, Long.MIN_VALUE);
        long nanos = decision.timeNanos();
        if (nanos > world.nowNanos() && world.nextNanos() > nanos) {
            drain(world, nanos);
        }
        if (!there || world.eventCount() != afterEvent || !carryOut(world, decision.act())) {
            throw new IllegalStateException(
                    "going the same way again led elsewhere before " + decision);
        }
    }

    private static void drain(Steppable world, long untilNanos) {
        try {
            while (world.poll(untilNanos) != null) {
                // Known already.
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("a simulated cluster never waits", e);
        }
    }

    private void tellAgain() {
        repeating = true;
        try {
            listener.restarted();
            for (Told each : told) {
                switch (each) {
                    case Told.Decided(long _, Decision decision, boolean _) ->
                            listener.decided(decision);
                    case Told.Completed(long _, Completion completion, long nowNanos) ->
                            listener.completed(completion, nowNanos);
                    case Told.Changed(Moment moment) -> listener.changed(moment);
                }
            }
        } finally {
            repeating = false;
        }
    }

    /** How many events had happened at a moment of virtual time. */
    private long eventsUpTo(long nanos) {
        int low = 0;
        int high = moments.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (moments.get(middle).occurrence().timeNanos() <= nanos) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** What a person has decided so far and, after going back, still stands for later. */
    public List<Decision> byHand() {
        return decisions().stream().filter(Decision::byHand).toList();
    }

    /** Whether the past is being run anew, so that nothing told is news. */
    public boolean isRepeating() {
        return repeating;
    }

    // ---- Looking ----

    public Steppable world() {
        return world;
    }

    /** All that happened, the newest last. */
    public List<Moment> moments() {
        return java.util.Collections.unmodifiableList(moments);
    }

    /** An event that happened; null for 0 and for what has not. */
    public @Nullable Moment moment(long number) {
        return number < 1 || number > moments.size() ? null : moments.get((int) number - 1);
    }

    /**
     * Why a field of a node is what it is: the event that wrote it last, then the event that
     * brought that about, and so on backwards.
     *
     * @param most events to tell
     * @return newest first; empty where it has been so from the beginning
     */
    public List<Moment> why(String node, String field, int most) {
        for (int i = moments.size() - 1; i >= 0; i--) {
            Moment moment = moments.get(i);
            boolean writes =
                    moment.changes().stream()
                            .anyMatch(
                                    change ->
                                            change.node().equals(node)
                                                    && change.field().equals(field));
            if (writes) {
                return causes(moment, most);
            }
        }
        return List.of();
    }

    /**
     * An event, the one that brought it about, and so on backwards. Timers that were only put off
     * are left out: each is set by the one before, which explains nothing.
     */
    public List<Moment> causes(Moment from, int most) {
        List<Moment> chain = new ArrayList<>();
        Moment link = from;
        while (link != null && chain.size() < most) {
            boolean idle =
                    link.occurrence().sort() == Steppable.Sort.TIMER
                            && link.changes().isEmpty()
                            && !chain.isEmpty();
            if (!idle) {
                chain.add(link);
            }
            link = moment(link.occurrence().cause());
        }
        return chain;
    }

    @Override
    public CompletableFuture<List<NodeStatus>> statuses(long timeoutMillis) {
        return CompletableFuture.completedFuture(
                world.nodes().stream().map(node -> status(world.view(node))).toList());
    }

    @Override
    public CompletableFuture<List<LogWindow>> logs(long fromIndex, int count, long timeoutMillis) {
        return CompletableFuture.completedFuture(
                world.nodes().stream().map(node -> world.log(node, fromIndex, count)).toList());
    }

    @Override
    public CompletableFuture<List<Transition>> transitions(
            Map<String, Transition> after, long timeoutMillis) {
        // What is told of one node is told of all, so the newest that is known is enough.
        long last = after.values().stream().mapToLong(Transition::number).max().orElse(0);
        List<Transition> found = new ArrayList<>();
        for (Moment moment :
                moments.subList((int) Math.min(last, moments.size()), moments.size())) {
            moment.changes().forEach(change -> found.add(transition(moment, change)));
        }
        return CompletableFuture.completedFuture(found);
    }

    private Transition transition(Moment moment, Change change) {
        String from = change.before();
        String to = change.after();
        String topic =
                switch (change.field()) {
                    case "votedFor" -> "vote";
                    case "members" -> "config";
                    case "last" -> isShorter(change) ? "truncate" : "log";
                    default -> change.field();
                };
        String words =
                switch (topic) {
                    case "vote" -> to.equals("nobody") ? "has not voted" : "votes for " + to;
                    case "term" -> "term " + to;
                    case "commit" -> "committed up to " + to;
                    case "log" -> "log up to " + to;
                    case "truncate" -> "cuts its log off after " + to;
                    case "config" -> "configuration: " + to;
                    case "snapshot" -> "has a snapshot up to " + to;
                    default -> from + " -> " + to;
                };
        return new Transition(
                change.node(),
                moment.number(),
                moment.occurrence().timeNanos() / 1_000_000,
                topic,
                topic.equals("role") ? termAt(change.node(), moment) : 0,
                words);
    }

    /** The term of a node after an event; 0 where it was never another than at the start. */
    private long termAt(String node, Moment moment) {
        for (int i = (int) moment.number() - 1; i >= 0; i--) {
            for (Change change : moments.get(i).changes()) {
                if (change.node().equals(node) && change.field().equals("term")) {
                    return number(change.after());
                }
            }
        }
        return 0;
    }

    private static boolean isShorter(Change change) {
        return number(change.after()) < number(change.before());
    }

    private static long number(String words) {
        String digits = words.replaceFirst("[^0-9].*", "");
        return digits.isEmpty() ? 0 : Long.parseLong(digits);
    }

    private static NodeStatus status(NodeView view) {
        if (!view.state().equals("up")) {
            return NodeStatus.unreachable(view.node());
        }
        String json =
                "{\"id\":\""
                        + view.node()
                        + "\",\"role\":\""
                        + view.role()
                        + "\",\"term\":"
                        + view.term()
                        + ",\"votedFor\":"
                        + quoted(view.votedFor())
                        + ",\"leader\":"
                        + quoted(view.leader())
                        + ",\"firstIndex\":"
                        + view.firstIndex()
                        + ",\"lastIndex\":"
                        + view.lastIndex()
                        + ",\"lastTerm\":"
                        + view.lastTerm()
                        + ",\"durableIndex\":"
                        + view.durableIndex()
                        + ",\"commitIndex\":"
                        + view.commitIndex()
                        + ",\"appliedIndex\":"
                        + view.appliedIndex()
                        + configuration(view)
                        + "}";
        return new NodeStatus(
                view.node(),
                true,
                view.role(),
                view.term(),
                view.leader(),
                view.commitIndex(),
                view.appliedIndex(),
                view.lastIndex(),
                json);
    }

    private static String configuration(NodeView view) {
        StringBuilder json = new StringBuilder(",\"configuration\":{\"index\":");
        json.append(view.configurationIndex());
        json.append(",\"committed\":").append(view.configurationIndex() <= view.commitIndex());
        json.append(",\"members\":[");
        List<String> members = new ArrayList<>();
        view.voters().forEach(node -> members.add(member(node, true)));
        view.learners().forEach(node -> members.add(member(node, false)));
        return json.append(String.join(",", members)).append("]}").toString();
    }

    private static String member(String node, boolean voter) {
        return "{\"id\":\"" + node + "\",\"voter\":" + voter + "}";
    }

    private static String quoted(@Nullable String name) {
        return name == null ? "null" : "\"" + name + "\"";
    }

    /** The fault by which a failed fsync keeps its node down. */
    public static ActiveFault halted(long id, String node) {
        return new ActiveFault(id, "disk-error", new FaultAction.Kill(List.of(node)));
    }
}
