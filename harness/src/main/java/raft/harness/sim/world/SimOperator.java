package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import raft.core.Change;
import raft.core.Configuration;
import raft.core.Effect.RoleName;
import raft.core.Event;
import raft.core.NodeId;
import raft.core.Snapshot;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * An operator who asks for one thing and looks until it is so: other voters, another leader, a
 * snapshot, an election. Asks again where the one that was asked could not, as the tools for real
 * clusters do; in the end says what was seen.
 */
final class SimOperator {
    /** From one look to the next. */
    static final long PAUSE_NANOS = 50_000_000;

    private static final int LOOKS_MAX = 200;

    private final SimCluster world;

    SimOperator(SimCluster world) {
        this.world = world;
    }

    /** Whether it is an operator's to do. */
    static boolean does(FaultAction action) {
        return action instanceof FaultAction.Membership
                || action instanceof FaultAction.RaftCommand;
    }

    /**
     * Asks, or looks again.
     *
     * @param undo whether it is to be taken back
     * @param look 0, 1, 2, …
     * @return null where it is not over yet
     */
    @Nullable FaultOutcome step(FaultAction action, boolean undo, int look) {
        FaultOutcome outcome =
                switch (action) {
                    case FaultAction.AddVoter(String name) ->
                            undo ? remove(name, look) : add(name, look);
                    case FaultAction.RemoveVoter(String name) ->
                            undo ? add(name, look) : remove(name, look);
                    case FaultAction.TransferLeadership(String to) ->
                            undo ? nothing() : transfer(to, look);
                    case FaultAction.StartElection(String name) ->
                            undo ? nothing() : elect(name, look);
                    case FaultAction.TakeSnapshot(List<String> names) ->
                            undo ? nothing() : snapshot(names, look);
                    default -> said(Status.SKIPPED, "not simulated: " + action);
                };
        if (outcome == null && look >= LOOKS_MAX) {
            return said(Status.INDETERMINATE, "it did not come about within 10 s");
        }
        return outcome;
    }

    private static FaultOutcome nothing() {
        return said(Status.INSTALLED, "there is nothing to be taken back");
    }

    private static FaultOutcome said(Status status, String words) {
        return new FaultOutcome(status, List.of(words));
    }

    private @Nullable FaultOutcome add(String name, int look) {
        NodeId node = id(name);
        if (node == null) {
            return said(
                    Status.SKIPPED,
                    "there is no node " + name + " to be added; a simulated cluster has those that"
                            + " it was started with and its spare ones");
        }
        SimNode leader = leader();
        if (leader == null) {
            return null;
        }
        Configuration now = configuration(leader);
        if (now.isVoter(node) && isCommitted(leader)) {
            return said(Status.INSTALLED, "the voters are " + now.voters());
        }
        // A request takes a while, and is refused while another change is under way.
        if (look % 4 == 0 && !now.isVoter(node)) {
            Change change =
                    now.contains(node) ? new Change.Promote(node) : new Change.AddLearner(node, "");
            leader.operate(id -> new Event.ChangeMembership(id, change));
        }
        return null;
    }

    private @Nullable FaultOutcome remove(String name, int look) {
        NodeId node = id(name);
        SimNode leader = leader();
        if (leader == null) {
            return null;
        }
        Configuration now = configuration(leader);
        if (node == null || !now.contains(node)) {
            return isCommitted(leader)
                    ? said(
                            look == 0 ? Status.SKIPPED : Status.INSTALLED,
                            "the voters are " + now.voters())
                    : null;
        }
        if (now.voters().size() == 1 && now.isVoter(node)) {
            return said(Status.SKIPPED, "the last voter cannot go");
        }
        if (look % 4 == 0) {
            leader.operate(id -> new Event.ChangeMembership(id, new Change.Remove(node)));
        }
        return null;
    }

    private @Nullable FaultOutcome transfer(String to, int look) {
        SimNode leader = leader();
        NodeId node = id(to);
        if (node == null) {
            return said(Status.SKIPPED, "there is no node " + to);
        }
        if (leader == null) {
            return null;
        }
        if (leader.id.equals(node)) {
            return said(Status.INSTALLED, to + " leads term " + term(leader));
        }
        if (look % 20 == 0) {
            leader.operate(id -> new Event.TransferLeadership(id, node));
        }
        return null;
    }

    private @Nullable FaultOutcome elect(String name, int look) {
        SimNode node = world.nodeNamed(name);
        SimNode.Life life = node.life;
        if (life == null) {
            return said(Status.SKIPPED, name + " is down");
        }
        if (look == 0) {
            node.operate(Event.StartElection::new);
            return null;
        }
        SimNode leader = leader();
        return leader == null
                ? null
                : said(
                        Status.INSTALLED,
                        name
                                + " was asked to start an election; "
                                + leader.id
                                + " leads term "
                                + term(leader));
    }

    private @Nullable FaultOutcome snapshot(List<String> names, int look) {
        if (look == 0) {
            names.forEach(name -> world.nodeNamed(name).operate(Event.TakeSnapshot::new));
            return null;
        }
        if (look < 4) {
            return null;
        }
        List<String> seen = new ArrayList<>();
        for (String name : names) {
            SimNode node = world.nodeNamed(name);
            SimNode.Life life = node.life;
            Snapshot snapshot = life == null ? null : life.raft.snapshot();
            seen.add(
                    snapshot == null
                            ? name + " has none"
                            : name + " has one of index " + snapshot.index());
        }
        return new FaultOutcome(Status.INSTALLED, seen);
    }

    private @Nullable NodeId id(String name) {
        return world.nodeIds().stream()
                .filter(node -> node.name().equals(name))
                .findFirst()
                .orElse(null);
    }

    /** Who leads the newest term. */
    private @Nullable SimNode leader() {
        return world.nodeList().stream()
                .filter(node -> node.isUp() && role(node) == RoleName.LEADER)
                .max(Comparator.comparingLong(SimOperator::term))
                .orElse(null);
    }

    private static @Nullable RoleName role(SimNode node) {
        SimNode.Life life = node.life;
        return life == null ? null : life.raft.role();
    }

    private static long term(SimNode node) {
        SimNode.Life life = node.life;
        return life == null ? 0 : life.raft.term();
    }

    private static Configuration configuration(SimNode node) {
        SimNode.Life life = node.life;
        return life == null ? Configuration.NONE : life.raft.configuration();
    }

    private static boolean isCommitted(SimNode node) {
        SimNode.Life life = node.life;
        return life != null && life.raft.configurationIndex() <= life.raft.commitIndex();
    }
}
