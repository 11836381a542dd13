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
 * decisions anew, and one pending message, timer or fsync can be treated differently.
 *
 * <p>Decisions of a loaded run come at the event they came at. Once a person has changed something
 * before them events no longer count alike, and they come at their virtual time instead: what the
 * clients do stays the same, so that what differs is the consequence of the change.
 *
 * <p>A decision taken after going back drops what a person had decided later; the loaded run's own
 * decisions stay. For one thread.
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

        void completed(Completion completion);

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
                listener.completed(completion);
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
        boolean done =
                switch (decision.act()) {
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
                    case Act.Hasten(long sequence) -> hasten(sequence);
                    case Act.Drop(long sequence) -> world.drop(sequence);
                    case Act.Duplicate(long sequence) -> world.duplicate(sequence);
                    case Act.Delay(long sequence, long nanos) -> world.delay(sequence, nanos);
                    case Act.FailSync(long sequence, ActiveFault fault) ->
                            world.failSync(sequence, fault.id());
                };
        if (done) {
            past.add(decision);
        }
        if (world.eventCount() == before) {
            // Outside of events too something may change: a node that is halted, say.
            look();
        }
        pollWorld(Long.MIN_VALUE);
        return done;
    }

    private boolean hasten(long sequence) {
        Occurrence found =
                world.pending().stream()
                        .filter(pending -> pending.sequence() == sequence)
                        .findFirst()
                        .orElse(null);
        if (found == null || !world.hasten(sequence)) {
            return false;
        }
        remember(found);
        return true;
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
        return moments.getLast();
    }

    /**
     * Goes on until something holds.
     *
     * @param untilNanos at the latest
     * @return whether it held
     */
    public boolean run(BooleanSupplier holds, long untilNanos) {
        while (!holds.getAsBoolean()) {
            if (!advance(untilNanos)) {
                completions.clear();
                return holds.getAsBoolean();
            }
        }
        completions.clear();
        return true;
    }

    /**
     * Goes to the moment after an event, backwards or forwards.
     *
     * @param number of the event, ≥ 0
     * @return false where the run ends before
     */
    public boolean goTo(long number) {
        if (number < world.eventCount()) {
            restart();
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
            restart();
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
        past.clear();
        future = new ArrayDeque<>(decisions);
        restart();
    }

    private void restart() {
        List<Decision> all = decisions();
        past.clear();
        future = new ArrayDeque<>(all);
        moments.clear();
        views.clear();
        completions.clear();
        diverged = false;
        world.close();
        world = start();
        listener.restarted();
        look();
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
