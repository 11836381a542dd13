package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import org.junit.jupiter.api.Test;

import raft.harness.cluster.NodeStatus;

import java.io.IOException;

final class StatusProbeTest {
    @Test
    void votersAreThoseOfACommittedConfigurationOnly() throws Exception {
        String members =
                "\"members\":[{\"id\":\"n1\",\"voter\":true},{\"id\":\"n2\",\"voter\":false}]}}";
        assertThat(
                        StatusProbe.parse("n1", "{\"configuration\":{\"committed\":true," + members)
                                .voters())
                .containsExactly("n1");
        assertThat(
                        StatusProbe.parse(
                                        "n1", "{\"configuration\":{\"committed\":false," + members)
                                .voters())
                .isEmpty();
    }

    @Test
    void aStatusDocumentIsRead() throws IOException {
        String body =
                "{\"id\":\"n1\",\"role\":\"leader\",\"term\":3,\"leader\":\"n1\",\"commitIndex\":7,"
                        + "\"appliedIndex\":6,\"lastIndex\":8,\"more\":{}}";
        assertThat(StatusProbe.parse("n1", body))
                .isEqualTo(new NodeStatus("n1", true, "leader", 3, "n1", 7, 6, 8, body));
    }

    @Test
    void whatIsMissingIsEmpty() throws IOException {
        assertThat(StatusProbe.parse("n1", "{\"leader\":null}"))
                .isEqualTo(new NodeStatus("n1", true, "", 0, null, 0, 0, 0, "{\"leader\":null}"));
    }

    @Test
    void otherAnswersAreRefused() {
        assertThatIOException().isThrownBy(() -> StatusProbe.parse("n1", "<html>"));
        assertThatIOException().isThrownBy(() -> StatusProbe.parse("n1", "[]"));
    }
}
