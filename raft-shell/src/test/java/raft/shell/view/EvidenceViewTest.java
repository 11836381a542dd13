package raft.shell.view;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.util.List;

final class EvidenceViewTest {
    @Test
    void linksBetweenTwoSidesAreToldBySides() {
        assertThat(EvidenceView.links("cut [n1->n3, n2->n3, n3->n1, n3->n2]"))
                .isEqualTo("cut n3 <-> n1,n2");
        assertThat(EvidenceView.links("dropped on n1->n3, n1->n2"))
                .isEqualTo("dropped on n1 -> n2,n3");
        assertThat(EvidenceView.links("cut [n1->n2]")).isEqualTo("cut [n1->n2]");
    }

    @Test
    void allLinksAreToldAsSuch() {
        assertThat(
                        EvidenceView.links(
                                "lose 10 % on [n1->n2, n1->n3, n2->n1, n2->n3, n3->n1, n3->n2]"))
                .isEqualTo("lose 10 % on every link among n1,n2,n3");
    }

    @Test
    void linesThatDifferInNamesAndNumbersOnlyAreToldOnce() {
        assertThat(
                        EvidenceView.brief(
                                List.of(
                                        "IPv4 probes on n1->n2: 9.7 % lost",
                                        "IPv4 probes on n1->n3: 8.0 % lost",
                                        "IPv4 probes on n2->n3: 11.0 % lost",
                                        "the rule is there")))
                .containsExactly(
                        "IPv4 probes on n1->n2: 9.7 % lost; and 2 like it", "the rule is there");
    }

    @Test
    void linesAreBrokenBetweenWordsAndNeverWiderThanTheTerminal() {
        List<String> lines =
                TextLines.wrap("  ", "probes arrived on n1->n2, n1->n3 and passed", 24);
        assertThat(lines)
                .allMatch(line -> line.length() <= 24)
                .first()
                .asString()
                .startsWith("  p");
        assertThat(String.join(" ", lines).replaceAll("\\s+", " ").strip())
                .isEqualTo("probes arrived on n1->n2, n1->n3 and passed");
    }
}
