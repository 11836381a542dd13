package raft.shell.view;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import raft.harness.cluster.NodeStatus;

import java.util.List;

/** What the last line of 'status' says of who leads. */
final class StatusViewTest {
    private static NodeStatus node(String name, String role, long term, @Nullable String leader) {
        return new NodeStatus(name, true, role, term, leader, 0, 0, 0, "");
    }

    private static String said(NodeStatus... nodes) {
        return String.join(
                " ",
                StatusView.lines(List.of(nodes), 120, Paint.of(false)).stream()
                        .skip(1L + nodes.length)
                        .toList());
    }

    @Test
    void whoHasNotHeardOfANewLeaderDoesNotDisagree() {
        assertThat(
                        said(
                                node("n1", "leader", 2, "n1"),
                                node("n2", "follower", 2, "n1"),
                                node("n3", "follower", 2, null)))
                .isEqualTo("not all know who leads: n1,n2 say n1 (term 2); n3 knows none");
        assertThat(
                        said(
                                node("n1", "leader", 2, "n1"),
                                node("n2", "follower", 2, "n1"),
                                node("n3", "follower", 1, "n2")))
                .isEqualTo("not all know who leads: n1,n2 say n1 (term 2); n3 says n2 (term 1)");
        assertThat(
                        said(
                                node("n1", "leader", 2, "n1"),
                                node("n2", "follower", 1, "n1"),
                                node("n3", "follower", 2, "n1")))
                .isEqualTo("not all know who leads: n1,n3 say n1 (term 2); n2 says n1 (term 1)");
    }

    @Test
    void twoThatBothClaimToLeadDisagree() {
        assertThat(
                        said(
                                node("n1", "leader", 2, "n1"),
                                node("n2", "follower", 2, "n1"),
                                node("n3", "leader", 1, "n3")))
                .isEqualTo(
                        "they disagree on who leads: n1,n2 say n1 (term 2); n3 says n3 (term 1)");
    }

    @Test
    void twoLeadersOfOneTermAreADisagreementWhoeverNamesThem() {
        assertThat(
                        said(
                                node("n1", "leader", 2, "n1"),
                                node("n2", "follower", 2, "n3"),
                                NodeStatus.unreachable("n3")))
                .isEqualTo("they disagree on who leads: n1 says n1 (term 2); n2 says n3 (term 2)");
    }

    @Test
    void whereAllAgreeOrNobodyLeadsNothingIsSaid() {
        assertThat(said(node("n1", "leader", 2, "n1"), node("n2", "follower", 2, "n1"))).isEmpty();
        assertThat(said(node("n1", "candidate", 2, null), node("n2", "follower", 2, null)))
                .isEmpty();
        assertThat(
                        said(
                                node("n1", "leader", 2, "n1"),
                                node("n2", "follower", 2, "n1"),
                                NodeStatus.unreachable("n3")))
                .isEmpty();
    }
}
