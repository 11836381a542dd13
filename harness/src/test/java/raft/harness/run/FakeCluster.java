package raft.harness.run;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Cluster;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.NodeStatus;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.Value;
import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultOutcome;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.BiFunction;
import java.util.function.Function;

/** A correct register store in virtual time whose faults and answers a test can bend. */
final class FakeCluster implements Cluster {
    static final FaultOutcome PROVEN =
            new FaultOutcome(FaultOutcome.Status.INSTALLED, List.of("looked, and so it is"));

    final List<ActiveFault> injected = new ArrayList<>();
    final List<ActiveFault> healed = new ArrayList<>();
    final List<Invocation> asked = new ArrayList<>();
    Function<ActiveFault, FaultOutcome> onInject = fault -> PROVEN;

    /** Turns the right answer into the one that is given. */
    BiFunction<Invocation, Completion.Operation, Completion.Operation> answer =
            (invocation, right) -> right;

    /** What is turned down with which error, and not applied; null for what is not. */
    Function<Invocation, @Nullable String> refusal = invocation -> null;

    /** False for a leader that stays whatever is done to it. */
    boolean leaderYields = true;

    /** How long a fault takes to be in force and proven. */
    long injectNanos = 50_000_000;

    final Map<FaultKind, String> impossible = new EnumMap<>(FaultKind.class);

    /** What a node's status says beside. */
    Function<String, String> statusJson = node -> "{}";

    List<String> crashes = List.of();
    Function<ActiveFault, FaultOutcome> onHeal = fault -> PROVEN;
    boolean healedAll;
    boolean closed;
    long term = 1;
    String leader = "n1";

    private final Map<Value, Value> store = new HashMap<>();
    private final PriorityQueue<Due> due =
            new PriorityQueue<>(Comparator.comparingLong(Due::atNanos));
    private final Random random = new Random(1);
    private long nowNanos;
    private long logIndex;

    @Override
    public String kind() {
        return "fake";
    }

    @Override
    public List<String> nodes() {
        return List.of("n1", "n2", "n3");
    }

    @Override
    public long nowNanos() {
        return nowNanos;
    }

    @Override
    public void invoke(Invocation invocation) {
        asked.add(invocation);
        String refused = refusal.apply(invocation);
        if (refused != null) {
            later(1_000_000, operation(invocation, Type.FAIL, invocation.value(), refused));
            return;
        }
        Completion.Operation applied = apply(invocation);
        Completion.Operation right =
                new Completion.Operation(
                        invocation,
                        applied.type(),
                        applied.value(),
                        applied.node(),
                        applied.error(),
                        term,
                        ++logIndex);
        later(1_000_000 + random.nextInt(9_000_000), answer.apply(invocation, right));
    }

    private Completion.Operation apply(Invocation invocation) {
        Value now = store.getOrDefault(invocation.key(), Value.NIL);
        return switch (invocation.f()) {
            case "read" -> operation(invocation, Type.OK, now, null);
            case "write" -> {
                store.put(invocation.key(), invocation.value());
                yield operation(invocation, Type.OK, invocation.value(), null);
            }
            default -> {
                List<Value> cas = ((Value.Seq) invocation.value()).values();
                if (!cas.get(0).equals(now)) {
                    yield operation(invocation, Type.FAIL, invocation.value(), "compare-failed");
                }
                store.put(invocation.key(), cas.get(1));
                yield operation(invocation, Type.OK, invocation.value(), null);
            }
        };
    }

    static Completion.Operation operation(
            Invocation asked, Type type, Value value, @Nullable String error) {
        return new Completion.Operation(asked, type, value, asked.node(), error, 1, 1);
    }

    @Override
    public Map<FaultKind, String> impossible() {
        return impossible;
    }

    @Override
    public void inject(ActiveFault fault) {
        injected.add(fault);
        if (leaderYields && fault.kind().contains("leader")) {
            leader = leader.equals("n1") ? "n2" : "n1";
            term++;
        }
        later(injectNanos, new Completion.FaultChange(fault.id(), true, onInject.apply(fault)));
    }

    @Override
    public void heal(ActiveFault fault) {
        healed.add(fault);
        later(50_000_000, new Completion.FaultChange(fault.id(), false, onHeal.apply(fault)));
    }

    @Override
    public void observe() {
        List<NodeStatus> seen = new ArrayList<>();
        for (String node : nodes()) {
            seen.add(
                    new NodeStatus(
                            node,
                            true,
                            node.equals(leader) ? "leader" : "follower",
                            term,
                            leader,
                            1,
                            1,
                            1,
                            statusJson.apply(node)));
        }
        later(5_000_000, new Completion.Observation(seen));
    }

    private void later(long nanos, Completion completion) {
        due.add(new Due(nowNanos + nanos, completion));
    }

    @Override
    public @Nullable Completion poll(long deadlineNanos) {
        Due next = due.peek();
        if (next == null || next.atNanos > deadlineNanos) {
            nowNanos = Math.max(nowNanos, deadlineNanos);
            return null;
        }
        due.poll();
        nowNanos = Math.max(nowNanos, next.atNanos);
        return next.completion;
    }

    @Override
    public void healAll() {
        healedAll = true;
    }

    @Override
    public List<String> crashes() {
        return crashes;
    }

    @Override
    public void close() {
        closed = true;
    }

    private record Due(long atNanos, Completion completion) {}
}
