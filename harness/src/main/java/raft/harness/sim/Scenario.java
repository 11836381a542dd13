package raft.harness.sim;

import org.jspecify.annotations.Nullable;

import raft.harness.history.Value;
import raft.harness.nemesis.FaultKind;
import raft.harness.nemesis.FaultKind.Family;
import raft.harness.nemesis.FaultPlan;
import raft.harness.nemesis.Parameter;
import raft.harness.nemesis.PlannedFault;
import raft.harness.nemesis.Trigger;
import raft.harness.sim.Keyed.Purpose;
import raft.harness.workload.Workloads;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * A whole simulated run as data: the same scenario gives the same events.
 *
 * @param options of the cluster
 * @param plan its faults
 * @param runNanos how long clients work
 * @param rate operations a second that the workload starts
 * @param concurrency client processes
 * @param workload as on the command line, {@code counter:keys=1} say; judged by its own model
 * @param script the operations one by one; null where the workload draws them from the seed
 */
public record Scenario(
        SimOptions options,
        FaultPlan plan,
        long runNanos,
        double rate,
        int concurrency,
        String workload,
        @Nullable List<Step> script) {
    /** The workload that every cluster begins with. */
    public static final String REGISTER = "register";

    /**
     * What seeds draw from, by weight: registers make the most of faults, since their checker bears
     * the longest histories; the others are there for what only they can see.
     */
    private static final List<String> DRAWN =
            List.of(
                    REGISTER,
                    REGISTER,
                    REGISTER,
                    REGISTER,
                    REGISTER,
                    "retries",
                    "retries",
                    "retries:keys=1,per-key=40",
                    "list-append",
                    "counter",
                    "set",
                    "queue:per-key=16",
                    "lock",
                    "versioned-register");

    private static final List<FaultKind> POWER_LOSSES =
            List.of(
                    FaultKind.DISK_LOST_WRITES,
                    FaultKind.DISK_LOST_WRITES,
                    FaultKind.DISK_TORN_WRITE);

    public Scenario {
        Workloads.parse(workload);
        script = script == null ? null : List.copyOf(script);
    }

    /** With the register workload. */
    public Scenario(
            SimOptions options, FaultPlan plan, long runNanos, double rate, int concurrency) {
        this(options, plan, runNanos, rate, concurrency, REGISTER, null);
    }

    /** These faults instead. */
    public Scenario with(FaultPlan other) {
        return new Scenario(options, other, runNanos, rate, concurrency, workload, script);
    }

    /** These options of the cluster instead. */
    public Scenario with(SimOptions other) {
        return new Scenario(other, plan, runNanos, rate, concurrency, workload, script);
    }

    /** These operations instead. */
    public Scenario with(@Nullable List<Step> other) {
        return new Scenario(options, plan, runNanos, rate, concurrency, workload, other);
    }

    /** Another length of the clients' work. */
    public Scenario lasting(long nanos) {
        return new Scenario(options, plan, nanos, rate, concurrency, workload, script);
    }

    /** The troubles, then what clients do: what a run begins with, in one line. */
    public String words() {
        return "workload " + workload + ", " + plan.faults().size() + " faults; " + options.words();
    }

    /** One operation: when, by which process, what. */
    public record Step(long nanos, long process, String f, Value key, Value value) {}

    /** The scenario of a seed in a campaign: swarm options, a drawn plan, a drawn workload. */
    public static Scenario ofSeed(long seed, long runMillis) {
        return ofSeed(seed, runMillis, workload(seed));
    }

    /** The same with that workload, whatever the seed would draw. */
    public static Scenario ofSeed(long seed, long runMillis, String workload) {
        SimOptions drawn = SimOptions.swarm(seed);
        SimOptions options = losesPowerOnly(seed) ? drawn.testingLogs() : drawn;
        return new Scenario(
                options,
                plan(seed, options, runMillis),
                runMillis * 1_000_000,
                60,
                10,
                workload,
                null);
    }

    private static String workload(long seed) {
        return DRAWN.get(Keyed.below(Keyed.key(seed, Purpose.WORKLOAD, 0, 0, 0), DRAWN.size()));
    }

    private static int sort(long seed) {
        return Keyed.below(Keyed.key(seed, Purpose.PLAN, 0, 0, 0), 8);
    }

    /**
     * Now and then nothing but single nodes that lose their power: leaders stay, and find followers
     * that lack a lot.
     */
    private static boolean losesPowerOnly(long seed) {
        return sort(seed) >= 2 && Keyed.below(Keyed.key(seed, Purpose.PLAN, 0, 0, 4), 8) == 0;
    }

    /**
     * Half of the seeds get the plan that a run on containers would get; the others a dense one of
     * short faults that overlap freely, which changes leaders far more often.
     */
    private static FaultPlan plan(long seed, SimOptions options, long runMillis) {
        List<String> members = members(options);
        int sort = sort(seed);
        if (sort < 2) {
            return FaultPlan.generate(
                    seed,
                    members,
                    sort == 0 ? SimulatedFaults.USUAL : SimulatedFaults.ALL,
                    runMillis);
        }
        long spacingMillis = 300L + Keyed.below(Keyed.key(seed, Purpose.PLAN, 0, 0, 1), 2_500);
        long longestMillis = 500L + Keyed.below(Keyed.key(seed, Purpose.PLAN, 0, 0, 2), 5_000);
        List<FaultKind> kinds =
                losesPowerOnly(seed) ? POWER_LOSSES : kinds(Keyed.key(seed, Purpose.PLAN, 0, 0, 3));
        List<PlannedFault> faults = new ArrayList<>();
        long at = 1_500;
        for (long id = 1; at < runMillis - 1_000; id++) {
            long draw = Keyed.key(seed, Purpose.PLAN, 1, 0, id);
            FaultKind kind = kinds.get(Keyed.below(draw, kinds.size()));
            long lasts = Keyed.between(Keyed.part(draw, 1), 50, longestMillis);
            boolean onElection = Keyed.below(Keyed.part(draw, 3), 8) == 0;
            faults.add(
                    new PlannedFault(
                            id,
                            kind,
                            onElection ? new Trigger.LeaderElected() : Trigger.TIME,
                            at,
                            at + lasts,
                            shuffled(members, draw),
                            parameters(kind, Keyed.part(draw, 4))));
            at += Keyed.between(Keyed.part(draw, 2), 50, 2 * spacingMillis);
        }
        return new FaultPlan(faults);
    }

    /**
     * Of the families that find most bugs at least one; of the others each in a third of the seeds.
     * Families come with the same share of faults, however many kinds they have.
     */
    private static List<FaultKind> kinds(long draw) {
        int usual = 1 + Keyed.below(draw, 7);
        List<FaultKind> kinds = new ArrayList<>();
        List<List<FaultKind>> families = new ArrayList<>();
        for (Family family : Family.values()) {
            boolean on =
                    Family.USUAL.contains(family)
                            ? (usual >> family.ordinal() & 1) == 1
                            : Keyed.below(Keyed.part(draw, 1 + family.ordinal()), 3) == 0;
            List<FaultKind> known =
                    FaultKind.drawnOf(family).stream()
                            .filter(SimulatedFaults.ALL.kinds()::contains)
                            .toList();
            if (on && !known.isEmpty()) {
                families.add(known);
            }
        }
        int most = families.stream().mapToInt(List::size).max().orElse(1);
        for (List<FaultKind> family : families) {
            for (int i = 0; i < most; i++) {
                kinds.add(family.get(i % family.size()));
            }
        }
        return kinds;
    }

    private static SortedMap<String, Long> parameters(FaultKind kind, long draw) {
        SortedMap<String, Long> drawn = new TreeMap<>();
        for (Parameter parameter : kind.parameters()) {
            drawn.put(
                    parameter.name(),
                    parameter.drawn().get(Keyed.below(draw, parameter.drawn().size())));
        }
        return kind.complete(drawn);
    }

    private static List<String> shuffled(List<String> members, long draw) {
        List<String> order = new ArrayList<>(members);
        for (int i = order.size() - 1; i > 0; i--) {
            Collections.swap(order, i, Keyed.below(Keyed.part(draw, 10 + i), i + 1));
        }
        return order;
    }

    /** The names of a cluster's members. */
    public static List<String> members(SimOptions options) {
        return IntStream.rangeClosed(1, options.nodeCount()).mapToObj(i -> "n" + i).toList();
    }
}
