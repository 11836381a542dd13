package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import raft.harness.docker.PodShell.Answer;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;

import java.io.IOException;
import java.util.List;

/** The small pure parts of proofs. */
final class FindingsTest {
    @ParameterizedTest
    @CsvSource({
        "INSTALLED, INSTALLED, INSTALLED",
        "SKIPPED, SKIPPED, SKIPPED",
        "INSTALLED, SKIPPED, INDETERMINATE",
        "INSTALLED, INDETERMINATE, INDETERMINATE",
        "SKIPPED, INDETERMINATE, INDETERMINATE",
    })
    void faultOfSeveralNodesIsProvenOnlyWhereEveryPartIs(Status a, Status b, Status all) {
        FaultOutcome outcome =
                Findings.all(List.of(Findings.of(a, "n1 ..."), Findings.of(b, "n2 ...")));
        assertThat(outcome).isEqualTo(new FaultOutcome(all, List.of("n1 ...", "n2 ...")));
    }

    /** One that was dead already when the others were frozen has nothing to be thawed from. */
    @ParameterizedTest
    @CsvSource({
        "INSTALLED, INSTALLED, INSTALLED",
        "INSTALLED, SKIPPED, INSTALLED",
        "SKIPPED, SKIPPED, SKIPPED",
        "INSTALLED, INDETERMINATE, INDETERMINATE",
        "SKIPPED, INDETERMINATE, INDETERMINATE",
    })
    void faultOfSeveralNodesIsGoneWhereNoPartOfItIsLeft(Status a, Status b, Status gone) {
        FaultOutcome outcome =
                Findings.gone(List.of(Findings.of(a, "n1 ..."), Findings.of(b, "n2 ...")));
        assertThat(outcome).isEqualTo(new FaultOutcome(gone, List.of("n1 ...", "n2 ...")));
    }

    @Test
    void shellAnswerIsWholeOnlyWithItsStatusAndEndOfLine() {
        assertThat(PodShell.parse("", "@@1@@")).isNull();
        assertThat(PodShell.parse("text\n@@1@@", "@@1@@")).isNull();
        assertThat(PodShell.parse("text\n@@1@@1", "@@1@@")).isNull();
        assertThat(PodShell.parse("text\n@@1@@12\n", "@@1@@")).isEqualTo(new Answer(12, "text\n"));
        assertThat(PodShell.parse("no end of line@@1@@0\n", "@@1@@"))
                .isEqualTo(new Answer(0, "no end of line"));
        assertThat(PodShell.parse("of the command before @@1@@0\n", "@@2@@")).isNull();
    }

    @Test
    void statusDocumentMayLackEverythingButMustBeAnObject() throws IOException {
        var status =
                StatusProbe.parse(
                        "n1",
                        """
                        {"role":"leader","term":7,"leader":"n1","commitIndex":3,"more":[1]}
                        """);
        assertThat(status.isLeader()).isTrue();
        assertThat(status.term()).isEqualTo(7);
        assertThat(status.leader()).isEqualTo("n1");
        assertThat(status.commitIndex()).isEqualTo(3);
        assertThat(status.lastIndex()).isZero();
        assertThat(StatusProbe.parse("n1", "{\"leader\":\"\"}").leader()).isNull();
        for (String wrong : List.of("", "[]", "7", "{", "<html>")) {
            assertThatIOException()
                    .isThrownBy(() -> StatusProbe.parse("n1", wrong))
                    .withMessageContaining("n1");
        }
    }
}
