package raft.harness.docker;

import org.jspecify.annotations.Nullable;

import raft.client.CallException;
import raft.client.ClientConnection;
import raft.client.Member;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.harness.cluster.NodeStatus;
import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * What an operator asks of the system itself: other voters, another leader, a snapshot, an
 * election. By the administrative requests of the client protocol; a server without them refuses
 * them as unsupported, and then the fault is skipped in its words. Called in one lane.
 */
final class Administration {
    private static final long CALL_MILLIS = 5_000;
    private static final long EFFECT_MILLIS = 15_000;
    private static final long PAUSE_MILLIS = 50;

    private final Map<String, InetSocketAddress> clients;
    private final Map<String, String> peerAddresses = new TreeMap<>();
    private final StatusProbe statuses;

    /** Which fault took out which voter. */
    private final Map<Long, String> removed = new TreeMap<>();

    /**
     * @param peerAddresses host:port of each node
     */
    Administration(
            Map<String, InetSocketAddress> clients,
            Map<String, String> peerAddresses,
            StatusProbe statuses) {
        this.clients = new TreeMap<>(clients);
        this.peerAddresses.putAll(peerAddresses);
        this.statuses = statuses;
    }

    /** What a server answered, or why it did not. */
    private record Said(@Nullable Result result, @Nullable Refusal refusal, String words) {
        boolean ok() {
            return result != null;
        }

        FaultOutcome outcome() {
            return Findings.of(
                    refusal == Refusal.UNSUPPORTED ? Status.SKIPPED : Status.INDETERMINATE, words);
        }
    }

    FaultOutcome command(FaultAction.RaftCommand command) {
        return switch (command) {
            case FaultAction.TransferLeadership(String to) -> transfer(to);
            case FaultAction.TakeSnapshot(List<String> nodes) ->
                    Findings.all(nodes.stream().map(this::snapshot).toList());
            case FaultAction.StartElection(String node) -> election(node);
        };
    }

    private FaultOutcome transfer(String to) {
        long termBefore = newestTerm();
        Said said = askLeader(new Request.Admin.TransferLeadership(to));
        if (!said.ok()) {
            return said.outcome();
        }
        boolean leads = waitFor(() -> status(to).isLeader());
        NodeStatus now = status(to);
        return Findings.of(
                leads && now.term() > termBefore ? Status.INSTALLED : Status.INDETERMINATE,
                "the leader said that it handed over to " + to,
                to + " is " + now.role() + " of term " + now.term() + ", before was " + termBefore);
    }

    private FaultOutcome snapshot(String node) {
        Said said = ask(node, new Request.Admin.TakeSnapshot());
        return said.ok()
                ? Findings.of(Status.INSTALLED, node + " has a snapshot: " + said.words)
                : said.outcome();
    }

    private FaultOutcome election(String node) {
        long termBefore = newestTerm();
        Said said = ask(node, new Request.Admin.StartElection());
        if (!said.ok()) {
            return said.outcome();
        }
        boolean newer = waitFor(() -> newestTerm() > termBefore);
        return Findings.of(
                newer ? Status.INSTALLED : Status.INDETERMINATE,
                node + " said that it started an election",
                "the newest term is " + newestTerm() + ", before was " + termBefore);
    }

    FaultOutcome removeVoter(long fault, String node) {
        List<String> voters = voters();
        if (!voters.contains(node)) {
            return Findings.of(
                    voters.isEmpty() ? Status.INDETERMINATE : Status.SKIPPED,
                    node + " is no voter; the voters are " + voters);
        }
        if (voters.size() < 3) {
            return Findings.of(
                    Status.SKIPPED, "of " + voters + " none can go without losing the quorum");
        }
        Said said = askLeader(new Request.Admin.Remove(node));
        if (!said.ok()) {
            return said.outcome();
        }
        removed.put(fault, node);
        boolean gone = waitFor(() -> !voters().contains(node));
        return Findings.of(
                gone ? Status.INSTALLED : Status.INDETERMINATE,
                "the voters are " + voters() + ", before were " + voters);
    }

    /** Takes back a removal: learner first, a voter once it has caught up. */
    FaultOutcome addVoter(long fault, String node) {
        removed.remove(fault);
        if (voters().contains(node)) {
            return Findings.of(Status.INSTALLED, node + " is a voter");
        }
        String address = peerAddresses.get(node);
        if (address == null) {
            return Findings.of(Status.SKIPPED, "there is no pod for " + node);
        }
        Said added = askLeader(new Request.Admin.AddLearner(node, address));
        if (!added.ok() && !added.words.contains("already")) {
            return added.outcome();
        }
        Said[] promoted = {askLeader(new Request.Admin.Promote(node))};
        boolean votes =
                waitFor(
                        () -> {
                            if (!promoted[0].ok()) {
                                promoted[0] = askLeader(new Request.Admin.Promote(node));
                            }
                            return voters().contains(node);
                        });
        return Findings.of(
                votes ? Status.INSTALLED : Status.INDETERMINATE,
                "the voters are " + voters(),
                promoted[0].ok() ? node + " was promoted" : promoted[0].words);
    }

    boolean hasRemoved(long fault) {
        return removed.containsKey(fault);
    }

    /** Every voter that a fault took out is one again. */
    void restoreAll() {
        Map.copyOf(removed).forEach(this::addVoter);
    }

    /** Of the committed configuration as the node that leads knows it; empty where none tells. */
    List<String> voters() {
        Said said = askLeader(new Request.Admin.ReadConfiguration());
        if (said.result instanceof Result.Configuration configuration) {
            return configuration.members().stream().filter(Member::voter).map(Member::id).toList();
        }
        return List.of();
    }

    private NodeStatus status(String node) {
        return statuses.askNow(node, 1_000);
    }

    private long newestTerm() {
        return statuses.askAll(1_000).join().stream().mapToLong(NodeStatus::term).max().orElse(0);
    }

    private Said askLeader(Request.Admin request) {
        Said[] last = {new Said(null, null, "no node leads")};
        waitFor(
                () -> {
                    String leader =
                            statuses.askAll(1_000).join().stream()
                                    .filter(NodeStatus::isLeader)
                                    .max(java.util.Comparator.comparingLong(NodeStatus::term))
                                    .map(NodeStatus::node)
                                    .orElse(null);
                    if (leader == null) {
                        return false;
                    }
                    last[0] = ask(leader, request);
                    // Only what is certain to be different soon is asked again.
                    return last[0].ok()
                            || (last[0].refusal != Refusal.NOT_LEADER
                                    && last[0].refusal != Refusal.CHANGE_IN_PROGRESS
                                    && last[0].refusal != Refusal.NOT_POSSIBLE_NOW);
                });
        return last[0];
    }

    private Said ask(String node, Request.Admin request) {
        InetSocketAddress address = clients.get(node);
        if (address == null) {
            return new Said(null, null, "there is no node " + node);
        }
        try (ClientConnection connection =
                ClientConnection.connect(
                        address.getAddress().getHostAddress(), address.getPort(), CALL_MILLIS)) {
            return switch (connection.call(request, CALL_MILLIS)) {
                case Reply.Ok(Result result, long term, long index) ->
                        new Said(result, null, String.valueOf(result));
                case Reply.Refused(Refusal reason, String leader, String message) ->
                        new Said(
                                null,
                                reason,
                                node
                                        + " refused ("
                                        + reason.name().toLowerCase(java.util.Locale.ROOT)
                                        + "): "
                                        + message);
                case Reply.Unknown(String message) ->
                        new Said(null, null, node + " does not know whether it did: " + message);
            };
        } catch (CallException e) {
            return new Said(null, null, node + " did not answer: " + e.getMessage());
        }
    }

    private static boolean waitFor(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(EFFECT_MILLIS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            try {
                Thread.sleep(PAUSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }
}
