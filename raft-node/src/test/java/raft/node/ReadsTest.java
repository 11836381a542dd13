package raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.client.Blob;
import raft.client.ClientConnection;
import raft.client.Consistency;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Request.Admin;
import raft.client.Result;

import java.nio.file.Path;

/** What a client gets that asks for less than the newest, and what nobody gets who does not ask. */
final class ReadsTest {
    private static final int CALL_MILLIS = 30_000;
    private static final Blob X = Blob.ofText("x");

    @TempDir private Path folder;
    private TestCluster cluster = TestCluster.NONE;

    @AfterEach
    void stop() {
        cluster.close();
        assertThat(cluster.fatalities()).isEmpty();
    }

    private static Reply ask(ClientConnection client, Request request) throws Exception {
        return client.call(request, CALL_MILLIS);
    }

    /**
     * It hears nobody, since the others look for it where it was before; while they go on, it knows
     * what its snapshot held.
     */
    @Test
    void aFollowerThatIsCutOffServesStaleReadsAloneAndNamesTheIndexThatTheyAreOf()
            throws Exception {
        cluster = TestCluster.start(folder, 3);
        assertThat(cluster.call(new Request.Put(X, Blob.ofText("old"))))
                .isEqualTo(new Result.Done());
        String follower = cluster.anyBut(cluster.awaitLeader());
        cluster.awaitConvergence();
        long snapshotIndex;
        try (ClientConnection client = cluster.client(follower)) {
            Reply.Ok taken = (Reply.Ok) ask(client, new Admin.TakeSnapshot());
            snapshotIndex = ((Result.Number) taken.result()).number();
        }
        cluster.kill(follower);
        assertThat(cluster.call(new Request.Put(X, Blob.ofText("new"))))
                .isEqualTo(new Result.Done());
        cluster.startOutsider(folder.resolve(follower), follower);
        try (ClientConnection client = cluster.client(follower)) {
            assertThat(ask(client, new Request.Get(X, Consistency.STALE)))
                    .isInstanceOfSatisfying(
                            Reply.Ok.class,
                            ok -> {
                                assertThat(ok.result())
                                        .isEqualTo(new Result.Found(Blob.ofText("old")));
                                assertThat(ok.logIndex()).isEqualTo(snapshotIndex);
                            });
            for (Consistency fresh :
                    new Consistency[] {Consistency.LINEARIZABLE, Consistency.LEASE}) {
                assertThat(ask(client, new Request.Get(X, fresh)))
                        .as("%s", fresh)
                        .isInstanceOf(Reply.Refused.class);
            }
        }
        assertThat(cluster.call(new Request.Get(X)))
                .isEqualTo(new Result.Found(Blob.ofText("new")));
    }

    /** A lease would be a promise of clocks; without one a leader asks a majority each time. */
    @Test
    void leaseReadsAreOffByDefaultAndNeedAMajorityLikeAllOthers() throws Exception {
        cluster = TestCluster.start(folder, 3);
        assertThat(cluster.call(new Request.Put(X, Blob.ofText("1")))).isEqualTo(new Result.Done());
        assertThat(cluster.call(new Request.Get(X, Consistency.LEASE)))
                .isEqualTo(new Result.Found(Blob.ofText("1")));
        String leader = cluster.awaitLeader();
        try (ClientConnection client = cluster.client(leader)) {
            for (String id : cluster.ids()) {
                if (!id.equals(leader)) {
                    cluster.kill(id);
                }
            }
            // Well within what a lease of an election timeout would have covered.
            assertThat(ask(client, new Request.Get(X, Consistency.LEASE)))
                    .isInstanceOf(Reply.Refused.class);
            assertThat(ask(client, new Request.Get(X, Consistency.STALE)))
                    .isInstanceOf(Reply.Ok.class);
        }
    }
}
