package raft.harness.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import raft.harness.cluster.Outcomes.Ending;
import raft.harness.history.HistoryEvent;

import java.util.ArrayList;
import java.util.List;

/** The table, row by row: written out here a second time, so that a change is a decision. */
class OutcomesTest {
    private record Row(Ending ending, String read, String change, String error) {}

    private static final List<Row> TABLE =
            List.of(
                    new Row(Ending.DONE, "OK", "OK", ""),
                    new Row(Ending.COMPARE_FAILED, "FAIL", "FAIL", "compare-failed"),
                    new Row(Ending.REFUSED, "FAIL", "FAIL", "refused"),
                    new Row(Ending.UNKNOWN, "FAIL", "INFO", "unknown"),
                    new Row(Ending.NOT_CONNECTED, "FAIL", "FAIL", "not-connected"),
                    new Row(Ending.TIMED_OUT_UNSENT, "FAIL", "FAIL", "timeout-before-sending"),
                    new Row(Ending.TIMED_OUT, "FAIL", "INFO", "timeout"),
                    new Row(Ending.CONNECTION_LOST, "FAIL", "INFO", "connection-lost"),
                    new Row(Ending.UNINTELLIGIBLE, "FAIL", "INFO", "unintelligible-reply"),
                    new Row(Ending.CLOSED_UNSENT, "FAIL", "FAIL", "closed-before-sending"),
                    new Row(Ending.CLOSED, "FAIL", "INFO", "closed"),
                    new Row(Ending.NOT_SUPPORTED, "FAIL", "FAIL", "not-supported"));

    @Test
    void everyEndingHasItsRow() {
        List<Ending> endings = new ArrayList<>();
        TABLE.forEach(row -> endings.add(row.ending()));
        assertThat(endings).containsExactly(Ending.values());
    }

    @Test
    void everyRowHolds() {
        for (Row row : TABLE) {
            assertThat(Outcomes.type("read", row.ending())).hasToString(row.read());
            for (String change : List.of("write", "cas", "delete", "append", "never heard of")) {
                assertThat(Outcomes.type(change, row.ending()))
                        .as(change + " " + row.ending())
                        .hasToString(row.change());
            }
            assertThat(row.ending().error("")).isEqualTo(row.error());
        }
    }

    @Test
    void readsNeverEndAsInfoAndNothingEndsAsInvoke() {
        for (Ending ending : Ending.values()) {
            assertThat(Outcomes.type("read", ending))
                    .isIn(HistoryEvent.Type.OK, HistoryEvent.Type.FAIL);
            assertThat(Outcomes.type("write", ending)).isNotEqualTo(HistoryEvent.Type.INVOKE);
        }
    }

    @Test
    void errorBeginsWithAWordThatCanBeCounted() {
        assertThat(Ending.REFUSED.error("not-leader")).isEqualTo("refused: not-leader");
    }
}
