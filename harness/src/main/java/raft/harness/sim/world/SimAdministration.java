package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import raft.core.Change;
import raft.core.Configuration;
import raft.core.Effect.RoleName;
import raft.core.Event;
import raft.harness.cluster.Completion;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.harness.sim.Sometimes;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/**
 * What a plan asks of the system itself, as its operators would: other voters, another leader, a
 * snapshot, an election. Each looks again and again, in virtual time, whether what was wanted has
 * come about, asks whoever leads then for the next step, and gives up after a while.
 */
final class SimAdministration {
    private static final long LOOK_NANOS = 50_000_000;

    /** As long as on containers. */
    private static final int LOOKS_MAX = 300;

    /** A refused or lost request is repeated; while one is under way that does no harm. */
    private static final int LOOKS_BETWEEN_REQUESTS = 6;

    /** Below it none can go without losing the quorum with the next one that fails. */
    private static final int VOTERS_MIN = 3;

    private final SimCluster world;

    /** Which voter a fault has added or taken out, and what it saw when it began. */
    private final TreeMap<Long, Begun> begun = new TreeMap<>();

    /**
     * @param term the newest at the start
     * @param node that the fault has changed; null before it has
     * @param appliedIndexes of the nodes that are to take a snapshot
     */
    private record Begun(long term, @Nullable SimNode node, TreeMap<String, Long> appliedIndexes) {
        Begun changed(SimNode changed) {
            return new Begun(term, changed, appliedIndexes);
        }
    }

    SimAdministration(SimCluster world) {
        this.world = world;
    }

    /** No request of a plan is followed up any more. */
    void clear() {
        begun.clear();
        world.nodeList().forEach(node -> node.claimed = false);
    }

    /**
     * One look; ends the change, or asks for the next look.
     *
     * @param again takes the nanoseconds until then
     */
    void turn(SimFaults.Change change, LongConsumer again) {
        FaultAction action = change.fault().action();
        if (change.step() == 0 && change.injected()) {
            begun.put(
                    change.fault().id(),
                    new Begun(newestTerm(), null, new TreeMap<>(appliedIndexes())));
        }
        Begun start = begun.get(change.fault().id());
        if (start == null) {
            done(change, Status.SKIPPED, "it was not begun, so there is nothing to take back");
            return;
        }
        FaultOutcome outcome =
                switch (action) {
                    case FaultAction.Membership membership -> membership(change, membership, start);
                    case FaultAction.RaftCommand command ->
                            change.injected()
                                    ? command(change, command, start)
                                    : outcome(Status.INSTALLED, "nothing is left to be taken back");
                    default -> throw new IllegalStateException("not of operators: " + action);
                };
        if (outcome != null) {
            // What was not proven to be taken back can be asked for again.
            if (!change.injected() && outcome.status() != Status.INDETERMINATE) {
                begun.remove(change.fault().id());
                if (start.node != null) {
                    start.node.claimed = false;
                }
            }
            world.complete(
                    new Completion.FaultChange(change.fault().id(), change.injected(), outcome));
        } else {
            again.accept(LOOK_NANOS);
        }
    }

    private void done(SimFaults.Change change, Status status, String words) {
        world.complete(
                new Completion.FaultChange(
                        change.fault().id(), change.injected(), outcome(status, words)));
    }

    private static FaultOutcome outcome(Status status, String words) {
        return new FaultOutcome(status, List.of(words));
    }

    // ---- Membership ----

    private @Nullable FaultOutcome membership(
            SimFaults.Change change, FaultAction.Membership action, Begun start) {
        return switch (action) {
            case FaultAction.AddVoter(String name) ->
                    change.injected() ? grow(change, name, start) : shrinkAgain(change, start);
            case FaultAction.RemoveVoter(String name) ->
                    change.injected() ? shrink(change, name, start) : growAgain(change, start);
            case FaultAction.ReplaceVoter(String name) ->
                    change.injected() ? replace(change, name, start) : growAgain(change, start);
        };
    }

    private @Nullable FaultOutcome grow(SimFaults.Change change, String name, Begun start) {
        SimNode node = world.machineNamed(name);
        if (node == null) {
            return outcome(Status.SKIPPED, "there is no machine for " + name);
        }
        if (start.node == null) {
            Configuration committed = committed();
            if (committed == null) {
                return late(change, "no node leads");
            }
            if (committed.isVoter(node.id) || node.claimed) {
                return outcome(Status.SKIPPED, name + " is a voter already, or about to be");
            }
            node.claimed = true;
            if (node.isUnused()) {
                node.switchOn();
            }
            begun.put(change.fault().id(), start.changed(node));
        }
        return wantVoter(change, node);
    }

    private @Nullable FaultOutcome shrinkAgain(SimFaults.Change change, Begun start) {
        SimNode node = start.node;
        if (node == null) {
            return outcome(Status.SKIPPED, "nobody was added");
        }
        FaultOutcome gone = wantGone(change, node);
        if (gone != null && gone.status() == Status.INSTALLED && node.isSpare()) {
            node.switchOff();
        }
        return gone;
    }

    private @Nullable FaultOutcome shrink(SimFaults.Change change, String name, Begun start) {
        SimNode node = world.nodeNamed(name);
        if (start.node == null) {
            Configuration committed = committed();
            if (committed == null) {
                return late(change, "no node leads");
            }
            if (!committed.isVoter(node.id)) {
                return outcome(
                        Status.SKIPPED,
                        name + " is no voter; the voters are " + committed.voters());
            }
            if (committed.voters().size() < VOTERS_MIN) {
                return outcome(
                        Status.SKIPPED,
                        "of " + committed.voters() + " none can go without losing the quorum");
            }
            if (node.claimed) {
                return outcome(Status.SKIPPED, "another fault changes the membership of " + name);
            }
            node.claimed = true;
            begun.put(change.fault().id(), start.changed(node));
            if (node.life != null && node.life.raft.role() == RoleName.LEADER) {
                world.census.reached(Sometimes.LEADER_REMOVED);
            }
        }
        return wantGone(change, node);
    }

    private @Nullable FaultOutcome growAgain(SimFaults.Change change, Begun start) {
        SimNode node = start.node;
        return node == null
                ? outcome(Status.SKIPPED, "nobody was taken out")
                : wantVoter(change, node);
    }

    /** Out, then emptied; healing adds it as a new one. */
    private @Nullable FaultOutcome replace(SimFaults.Change change, String name, Begun start) {
        FaultOutcome gone = shrink(change, name, start);
        if (gone == null || gone.status() != Status.INSTALLED) {
            return gone;
        }
        SimNode node = world.nodeNamed(name);
        node.lostEverything();
        world.census.reached(Sometimes.NODE_REPLACED);
        List<String> evidence = new ArrayList<>(gone.evidence());
        evidence.add(name + " has lost all that it had; " + world.start(node));
        return new FaultOutcome(Status.INSTALLED, evidence);
    }

    private @Nullable FaultOutcome wantVoter(SimFaults.Change change, SimNode node) {
        Configuration committed = committed();
        if (committed != null && committed.isVoter(node.id)) {
            world.census.reached(Sometimes.VOTER_ADDED);
            return outcome(Status.INSTALLED, "the voters are " + committed.voters());
        }
        SimNode leader = leader();
        if (leader != null && leader.life != null && isTimeToAsk(change)) {
            Configuration now = leader.life.raft.configuration();
            Change next =
                    now.contains(node.id)
                            ? new Change.Promote(node.id)
                            : new Change.AddLearner(node.id, "");
            if (!now.isVoter(node.id)) {
                leader.operate(id -> new Event.ChangeMembership(id, next));
            }
        }
        return late(change, node.id + " did not become a voter");
    }

    private @Nullable FaultOutcome wantGone(SimFaults.Change change, SimNode node) {
        Configuration committed = committed();
        if (committed != null
                && !committed.contains(node.id)
                && !isNamedByTheLeader(node)
                && !isChanging()) {
            world.census.reached(Sometimes.VOTER_REMOVED);
            return outcome(Status.INSTALLED, "the voters are " + committed.voters());
        }
        SimNode leader = leader();
        if (leader != null
                && leader.life != null
                && leader.life.raft.configuration().contains(node.id)
                && isTimeToAsk(change)) {
            leader.operate(id -> new Event.ChangeMembership(id, new Change.Remove(node.id)));
        }
        return late(change, node.id + " was not taken out");
    }

    /**
     * A leader that was just elected may know less of what is committed than its log holds: what it
     * takes for the committed configuration can be older than the one that added the node.
     */
    private boolean isNamedByTheLeader(SimNode node) {
        SimNode leader = leader();
        return leader == null
                || leader.life == null
                || leader.life.raft.configuration().contains(node.id);
    }

    /** Whether some log holds a change that may yet be committed, and bring a node back. */
    private boolean isChanging() {
        long next = world.watch.committedCount() + 1;
        return world.nodeList().stream()
                .anyMatch(node -> node.shadow.memory.hasConfigurationFrom(next));
    }

    private static boolean isTimeToAsk(SimFaults.Change change) {
        return change.step() % LOOKS_BETWEEN_REQUESTS == 0;
    }

    /** Null while there is still time. */
    private @Nullable FaultOutcome late(SimFaults.Change change, String words) {
        return change.step() < LOOKS_MAX
                ? null
                : outcome(
                        Status.INDETERMINATE,
                        words + " within " + LOOKS_MAX * LOOK_NANOS / 1_000_000_000 + " s");
    }

    // ---- Raft's own commands ----

    private @Nullable FaultOutcome command(
            SimFaults.Change change, FaultAction.RaftCommand command, Begun start) {
        return switch (command) {
            case FaultAction.TransferLeadership(String to) -> transfer(change, to, start);
            case FaultAction.TakeSnapshot(List<String> names) -> snapshot(change, names, start);
            case FaultAction.StartElection(String name) -> election(change, name, start);
        };
    }

    private @Nullable FaultOutcome transfer(SimFaults.Change change, String to, Begun start) {
        SimNode target = world.nodeNamed(to);
        SimNode leader = leader();
        if (leader == target && leader.life != null && leader.life.raft.term() > start.term) {
            return outcome(
                    Status.INSTALLED,
                    to + " leads term " + leader.life.raft.term() + ", before was " + start.term);
        }
        if (leader != null && leader != target && isTimeToAsk(change)) {
            leader.operate(id -> new Event.TransferLeadership(id, target.id));
        }
        return late(change, to + " did not take over");
    }

    private @Nullable FaultOutcome snapshot(
            SimFaults.Change change, List<String> names, Begun start) {
        List<String> missing = new ArrayList<>();
        for (String name : names) {
            SimNode node = world.nodeNamed(name);
            Long wanted = start.appliedIndexes.get(name);
            if (node.life == null || wanted == null) {
                continue; // Was down when it was asked for, or is now.
            }
            if (change.step() == 0) {
                node.operate(Event.TakeSnapshot::new);
            }
            var newest = node.life == null ? null : node.life.raft.snapshot();
            if (wanted > 0 && (newest == null || newest.index() < wanted)) {
                missing.add(name);
            }
        }
        return missing.isEmpty() && change.step() > 0
                ? outcome(Status.INSTALLED, "snapshots of at least " + start.appliedIndexes)
                : late(change, missing + " took no snapshot");
    }

    private @Nullable FaultOutcome election(SimFaults.Change change, String name, Begun start) {
        if (world.leasesAreOn()) {
            return outcome(
                    Status.SKIPPED,
                    "leases are on, and a node that may have promised one does not stand for an"
                            + " operator; hand leadership over instead");
        }
        if (newestTerm() > start.term) {
            return outcome(
                    Status.INSTALLED,
                    "the newest term is " + newestTerm() + ", before was " + start.term);
        }
        if (isTimeToAsk(change)) {
            world.nodeNamed(name).operate(Event.StartElection::new);
        }
        return late(change, name + " started no election");
    }

    // ---- Looking ----

    /** Whoever leads the newest term. */
    private @Nullable SimNode leader() {
        SimNode newest = null;
        long term = -1;
        for (SimNode node : world.nodeList()) {
            SimNode.Life life = node.life;
            if (life != null
                    && !node.isPaused()
                    && life.raft.role() == RoleName.LEADER
                    && life.raft.term() > term) {
                newest = node;
                term = life.raft.term();
            }
        }
        return newest;
    }

    /** As the newest leader knows it to be committed. */
    private @Nullable Configuration committed() {
        SimNode leader = leader();
        return leader == null || leader.life == null
                ? null
                : leader.life.raft.committedConfiguration();
    }

    private long newestTerm() {
        long newest = 0;
        for (SimNode node : world.nodeList()) {
            SimNode.Life life = node.life;
            newest = life == null ? newest : Math.max(newest, life.raft.term());
        }
        return newest;
    }

    private Map<String, Long> appliedIndexes() {
        TreeMap<String, Long> indexes = new TreeMap<>();
        for (SimNode node : world.nodeList()) {
            SimNode.Life life = node.life;
            if (life != null && !node.isPaused()) {
                indexes.put(node.id.name(), life.raft.appliedIndex());
            }
        }
        return indexes;
    }
}
