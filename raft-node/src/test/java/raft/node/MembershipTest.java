package raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import raft.client.Blob;
import raft.client.ClientConnection;
import raft.client.Member;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Request.Admin;
import raft.client.Result;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Operators' requests to real nodes: members come and go, leaders hand over, logs shrink. */
@Tag("cluster")
@Timeout(120)
final class MembershipTest {
    @TempDir private Path folder;
    private TestCluster cluster = TestCluster.NONE;

    @AfterEach
    void stop() {
        cluster.close();
        assertThat(cluster.fatalities()).isEmpty();
    }

    @Test
    void aNodeIsAddedCatchesUpBecomesAVoterAndReplacesAnother() throws Exception {
        cluster = TestCluster.start(folder, 3);
        put(0, 100);
        String address = cluster.startOutsider(folder.resolve("n4"), "n4");
        assertThat(admin(new Admin.AddLearner("n4", address))).isEqualTo(new Result.Done());
        assertThat(admin(new Admin.Promote("n4"))).isEqualTo(new Result.Done());
        String leader = cluster.awaitLeader();
        String leaving =
                List.of("n1", "n2", "n3").stream()
                        .filter(id -> !id.equals(leader))
                        .findFirst()
                        .orElseThrow();
        cluster.kill(leaving);
        assertThat(admin(new Admin.Remove(leaving))).isEqualTo(new Result.Done());
        put(100, 200);
        cluster.awaitConvergence();
        assertThat(cluster.status("n4").keyCount()).isEqualTo(200);
        assertThat(members(leader))
                .extracting(Member::id)
                .hasSize(3)
                .contains("n4")
                .doesNotContain(leaving);
        // After a restart the log says who the members are, not the settings.
        for (String id : List.of(leader, "n4")) {
            cluster.kill(id);
        }
        for (String id : List.of(leader, "n4")) {
            cluster.restart(id);
        }
        put(200, 210);
        assertThat(members("n4")).extracting(Member::id).contains("n4").doesNotContain(leaving);
    }

    @Test
    void aRemovedLeaderHandsOverAndTheRestGoesOn() throws Exception {
        cluster = TestCluster.start(folder, 3);
        put(0, 10);
        String leader = cluster.awaitLeader();
        assertThat(admin(new Admin.Remove(leader))).isEqualTo(new Result.Done());
        cluster.await("another leader", () -> !cluster.awaitLeader().equals(leader));
        put(10, 20);
        assertThat(members(cluster.awaitLeader())).hasSize(2);
    }

    @Test
    void aRemovedFollowerSaysSoAndKeepsQuiet() throws Exception {
        cluster = TestCluster.start(folder, 3);
        put(0, 10);
        String leader = cluster.awaitLeader();
        String removed = cluster.anyBut(leader);
        assertThat(cluster.status(removed).standing()).isEqualTo(Status.Standing.VOTER);
        assertThat(admin(new Admin.Remove(removed))).isEqualTo(new Result.Done());
        cluster.await(
                "word of it", () -> cluster.status(removed).standing() == Status.Standing.REMOVED);
        assertThat(cluster.log()).contains("WARN  " + removed + " removed from the cluster");
        assertThat(cluster.http(removed, "/status")).contains("\"standing\":\"removed\"");
        put(10, 20);
        assertThat(admin(new Admin.AddLearner(removed, cluster.address(removed))))
                .isEqualTo(new Result.Done());
        cluster.await(
                "its return", () -> cluster.status(removed).standing() == Status.Standing.LEARNER);
        cluster.awaitConvergence();
    }

    @Test
    void aNodeThatLostItsDataIsRefusedUntilItIsAddedAgain() throws Exception {
        cluster = TestCluster.start(folder, 3);
        put(0, 50);
        String leader = cluster.awaitLeader();
        String lost = cluster.anyBut(leader);
        cluster.kill(lost);
        delete(folder.resolve(lost));
        String address = cluster.address(lost);
        cluster.restart(lost);
        cluster.await("refusal", () -> count(cluster.status(leader), "peerProtocolErrors") > 0);
        assertThat(cluster.status(lost).lastIndex()).isZero();
        assertThat(admin(new Admin.Remove(lost))).isEqualTo(new Result.Done());
        assertThat(admin(new Admin.AddLearner(lost, address))).isEqualTo(new Result.Done());
        assertThat(admin(new Admin.Promote(lost))).isEqualTo(new Result.Done());
        cluster.awaitConvergence();
        assertThat(cluster.status(lost).keyCount()).isEqualTo(50);
    }

    /**
     * The only one that could tell it of the removal is the very node that was removed and leads
     * now.
     */
    @Test
    void aNodeThatWasAwayFollowsALeaderThatWasReplacedMeanwhile() throws Exception {
        cluster = TestCluster.start(folder, 4);
        put(0, 20);
        String leader = cluster.awaitLeader();
        String away = cluster.anyBut(leader);
        cluster.kill(away);
        String replaced =
                List.of("n1", "n2", "n3", "n4").stream()
                        .filter(id -> !id.equals(leader) && !id.equals(away))
                        .findFirst()
                        .orElseThrow();
        replaceAndLead(replaced);
        put(20, 30);
        cluster.restart(away);
        cluster.awaitConvergence();
        assertThat(cluster.status(away).keyCount()).isEqualTo(30);
        // Now its promises count again: with another one down nothing is decided without it.
        cluster.kill(leader);
        put(30, 40);
    }

    /** Removes a node, takes its disk away, adds it again and hands the leadership over to it. */
    private void replaceAndLead(String replaced) throws Exception {
        assertThat(admin(new Admin.Remove(replaced))).isEqualTo(new Result.Done());
        cluster.kill(replaced);
        delete(folder.resolve(replaced));
        cluster.restart(replaced);
        assertThat(admin(new Admin.AddLearner(replaced, cluster.address(replaced))))
                .isEqualTo(new Result.Done());
        assertThat(admin(new Admin.Promote(replaced))).isEqualTo(new Result.Done());
        assertThat(admin(new Admin.TransferLeadership(replaced))).isEqualTo(new Result.Done());
        cluster.await("its leadership", () -> cluster.awaitLeader().equals(replaced));
    }

    /** Who waits to be added never hears that somebody was replaced, and must not hold on to it. */
    @Test
    void aNodeThatWaitsIsAddedByALeaderThatWasReplacedMeanwhile() throws Exception {
        cluster = TestCluster.start(folder, 3);
        put(0, 20);
        String address = cluster.startOutsider(folder.resolve("n4"), "n4");
        String replaced = cluster.anyBut(cluster.awaitLeader());
        cluster.await(
                "a link to it",
                () ->
                        cluster.status("n4").peers().stream()
                                .anyMatch(peer -> peer.id().equals(replaced) && peer.connected()));
        replaceAndLead(replaced);
        assertThat(admin(new Admin.AddLearner("n4", address))).isEqualTo(new Result.Done());
        assertThat(admin(new Admin.Promote("n4"))).isEqualTo(new Result.Done());
        cluster.awaitConvergence();
        assertThat(cluster.status("n4").keyCount()).isEqualTo(20);
    }

    @Test
    void changesThatMakeNoSenseAreRefusedWithTheReason() throws Exception {
        cluster = TestCluster.start(folder, 3);
        String leader = cluster.awaitLeader();
        try (ClientConnection client = cluster.client(leader)) {
            assertRefused(
                    client, new Admin.Promote("n9"), Refusal.NO_SUCH_MEMBER, "n9 is not a member.");
            assertRefused(
                    client,
                    new Admin.AddLearner("n2", "h:1"),
                    Refusal.NOT_POSSIBLE_NOW,
                    "n2 is a member already.");
            assertRefused(
                    client,
                    new Admin.StartElection(),
                    Refusal.NOT_POSSIBLE_NOW,
                    "This node leads already.");
        }
        try (ClientConnection client = cluster.client(cluster.anyBut(leader))) {
            Reply reply = client.call(new Admin.Remove("n1"), 10_000);
            assertThat(reply)
                    .isInstanceOfSatisfying(
                            Reply.Refused.class,
                            refused -> {
                                assertThat(refused.reason()).isEqualTo(Refusal.NOT_LEADER);
                                assertThat(refused.leader()).isEqualTo(leader);
                            });
        }
    }

    @Test
    void leadershipIsHandedOverOnRequestAndWhenALeaderStops() throws Exception {
        cluster = TestCluster.start(folder, 3);
        put(0, 10);
        String first = cluster.awaitLeader();
        String wanted = cluster.anyBut(first);
        long term = cluster.status(first).term();
        try (ClientConnection client = cluster.client(first)) {
            Reply reply = client.call(new Admin.TransferLeadership(wanted), 10_000);
            assertThat(reply).isInstanceOf(Reply.Ok.class);
        }
        assertThat(cluster.awaitLeader()).isEqualTo(wanted);
        assertThat(cluster.status(wanted).term()).isEqualTo(term + 1);
        cluster.stop(wanted);
        String third = cluster.awaitLeader();
        // Nobody waited for an election timeout: there was no pre-vote, only the request to stand.
        assertThat(cluster.status(third).term()).isEqualTo(term + 2);
        assertThat(cluster.status(third).transitions())
                .anyMatch(change -> change.reason().equals(wanted + " hands over its leadership"));
        put(10, 20);
    }

    @Test
    void aSnapshotReplacesTheLogAndANewNodeStartsFromIt() throws Exception {
        cluster = TestCluster.start(folder, 3);
        put(0, 300);
        String leader = cluster.awaitLeader();
        for (String id : List.of("n1", "n2", "n3")) {
            try (ClientConnection client = cluster.client(id)) {
                Reply reply = client.call(new Admin.TakeSnapshot(), 10_000);
                assertThat(reply)
                        .isInstanceOfSatisfying(
                                Reply.Ok.class,
                                ok ->
                                        assertThat(ok.result())
                                                .isInstanceOf(Result.Number.class)
                                                .isNotEqualTo(new Result.Number(0)));
            }
            assertThat(Files.list(folder.resolve(id)).map(path -> path.getFileName().toString()))
                    .filteredOn(name -> name.endsWith(".snap"))
                    .hasSize(1);
        }
        for (String id : List.of("n1", "n2", "n3")) {
            cluster.kill(id);
        }
        for (String id : List.of("n1", "n2", "n3")) {
            cluster.restart(id);
        }
        put(300, 310);
        cluster.awaitConvergence();
        assertThat(cluster.status(leader).keyCount()).isEqualTo(310);
    }

    private List<Member> members(String id) throws Exception {
        try (ClientConnection client = cluster.client(id)) {
            Reply reply = client.call(new Admin.ReadConfiguration(), 10_000);
            assertThat(reply).isInstanceOf(Reply.Ok.class);
            return ((Result.Configuration) ((Reply.Ok) reply).result()).members();
        }
    }

    private Result admin(Admin request) throws Exception {
        return cluster.call(request);
    }

    private static void assertRefused(
            ClientConnection client, Admin request, Refusal reason, String message)
            throws Exception {
        assertThat(client.call(request, 10_000))
                .isInstanceOfSatisfying(
                        Reply.Refused.class,
                        refused -> {
                            assertThat(refused.reason()).isEqualTo(reason);
                            assertThat(refused.message()).isEqualTo(message);
                        });
    }

    private void put(int from, int to) throws Exception {
        for (int i = from; i < to; i++) {
            assertThat(cluster.call(new Request.Put(blob("key" + i), blob("value" + i))))
                    .isEqualTo(new Result.Done());
        }
    }

    private static long count(Status status, String name) {
        return status.counters().stream()
                .filter(count -> count.name().equals(name))
                .mapToLong(Status.Count::value)
                .sum();
    }

    private static void delete(Path folder) throws Exception {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private static Blob blob(String text) {
        return Blob.wrap(text.getBytes(StandardCharsets.UTF_8));
    }
}
