package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PodShellTest {
    @Test
    void anAnswerEndsWithTheLineOfItsMarker() {
        assertThat(PodShell.parse("some output\n@@7@@0\n", "@@7@@"))
                .isEqualTo(new PodShell.Answer(0, "some output\n"));
        assertThat(PodShell.parse("@@7@@12\n", "@@7@@")).isEqualTo(new PodShell.Answer(12, ""));
    }

    @Test
    void anAnswerThatHasNotArrivedWholeIsNone() {
        assertThat(PodShell.parse("some outp", "@@7@@")).isNull();
        assertThat(PodShell.parse("some output\n@@7@@1", "@@7@@")).isNull();
        assertThat(PodShell.parse("late\n@@6@@0\n", "@@7@@")).isNull();
    }
}
