package raft.shell.repl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import raft.shell.live.UsageException;

import java.util.List;

final class LineWordsTest {
    @Test
    void semicolonsPartCommandsAndQuotesKeepThemTogether() {
        assertThat(LineWords.commands("put x 'a; b' ; get x;;"))
                .containsExactly(List.of("put", "x", "a; b"), List.of("get", "x"));
    }

    @Test
    void aHashBeforeABlankBeginsACommentAndBeforeANumberDoesNot() {
        assertThat(LineWords.commands("goto #41 # back there"))
                .containsExactly(List.of("goto", "#41"));
        assertThat(LineWords.commands("# only words")).isEmpty();
    }

    @Test
    void aQuoteThatIsNotClosedIsRefused() {
        assertThat(LineWords.isOpen("put x 'a")).isTrue();
        assertThatThrownBy(() -> LineWords.commands("put x 'a"))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("not closed");
    }
}
