package raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.core.Configuration;
import raft.core.Configuration.Member;
import raft.core.NodeId;
import raft.storage.DataDirectory;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Whose promises are taken, by data directory and by what the log says of members. */
final class PeerIdentitiesTest {
    private static final NodeId N1 = new NodeId("n1");
    private static final NodeId N2 = new NodeId("n2");
    private static final Configuration FOUNDERS = Configuration.ofVoters(List.of(N1, N2));
    private static final Configuration ALONE = Configuration.ofVoters(List.of(N1));
    private static final Configuration AGAIN = added(7);

    @TempDir private Path folder;
    private DataDirectory data;
    private PeerIdentities identities;

    @BeforeEach
    void open() throws IOException {
        data = DataDirectory.open(folder, "lab", "n1");
        identities = new PeerIdentities(data);
        members(FOUNDERS);
    }

    @AfterEach
    void close() throws IOException {
        data.close();
    }

    private static Configuration added(long index) {
        return new Configuration(
                List.of(new Member(N1, "", true), new Member(N2, "", true, index)));
    }

    private void members(Configuration now) throws IOException {
        identities.configured(now);
        identities.committed(now);
    }

    @Test
    void whatAnEarlierVersionKeptIsRead() throws IOException {
        data.putText(PeerIdentities.FILE, "n2 0000000000000001\n");
        identities = new PeerIdentities(data);
        members(FOUNDERS);
        assertThat(identities.objection(N2, 2)).contains("another data directory");
        assertThat(identities.objection(N2, 1)).isNull();
    }

    @Test
    void anotherDataDirectoryIsObjectedToAlsoAfterARestart() throws IOException {
        assertThat(identities.objection(N2, 1)).isNull();
        assertThat(identities.objection(N2, 2)).contains("another data directory");
        identities = new PeerIdentities(data);
        members(FOUNDERS);
        assertThat(identities.objection(N2, 2)).contains("another data directory");
        assertThat(identities.objection(N2, 1)).isNull();
    }

    @Test
    void whoWasRemovedAndAddedMayComeWithAnother() throws IOException {
        assertThat(identities.objection(N2, 1)).isNull();
        members(ALONE);
        members(AGAIN);
        assertThat(identities.objection(N2, 2)).isNull();
        assertThat(identities.objection(N2, 3)).contains("another data directory");
    }

    /** As by a snapshot, in which the configuration between is not to be seen. */
    @Test
    void aLaterAdditionIsEnoughToKnowOfTheRemoval() throws IOException {
        assertThat(identities.objection(N2, 1)).isNull();
        members(AGAIN);
        assertThat(identities.objection(N2, 2)).isNull();
        assertThat(identities.objection(N2, 1)).contains("another data directory");
        members(added(9));
        assertThat(identities.objection(N2, 3)).isNull();
    }

    @Test
    void aRemovalThatMayBeTakenBackExcusesNobody() throws IOException {
        assertThat(identities.objection(N2, 1)).isNull();
        identities.configured(ALONE);
        assertThat(identities.objection(N2, 2)).contains("another data directory");
        identities.configured(FOUNDERS);
        assertThat(identities.objection(N2, 2)).contains("another data directory");
    }

    /** What it says after it was added counts, by the directory that it had then. */
    @Test
    void whoWasMetBeforeItWasAddedIsRememberedByWhatItSaysAfterwards() throws IOException {
        members(ALONE);
        assertThat(identities.objection(N2, 1)).isNull();
        assertThat(identities.objection(N2, 2)).isNull();
        members(AGAIN);
        assertThat(identities.objection(N2, 2)).isNull();
        assertThat(identities.objection(N2, 3)).contains("another data directory");
    }

    @Test
    void whenAMemberWasAddedStandsInTheLog() {
        assertThat(Configuration.decode(AGAIN.encode())).isEqualTo(AGAIN);
        assertThat(Configuration.decode(FOUNDERS.encode())).isEqualTo(FOUNDERS);
    }
}
