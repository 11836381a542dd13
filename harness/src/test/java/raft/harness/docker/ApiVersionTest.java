package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

final class ApiVersionTest {
    private static ApiVersion agreed(String min, String max) {
        return ApiVersion.PREFERRED.clampedTo(ApiVersion.parse(min), ApiVersion.parse(max));
    }

    @Test
    void anOldEngineIsSpokenToInItsNewestVersion() {
        assertThat(agreed("1.12", "1.41")).hasToString("1.41");
    }

    @Test
    void aNewEngineIsSpokenToInTheVersionThatWasTested() {
        assertThat(agreed("1.24", "1.50")).hasToString("1.44");
        assertThat(agreed("1.44", "1.52")).hasToString("1.44");
    }

    @Test
    void anEngineThatForgotTheTestedVersionIsSpokenToInItsOldest() {
        assertThat(agreed("1.47", "1.60")).hasToString("1.47");
    }

    @Test
    void versionsAreOrderedByNumber() {
        assertThat(ApiVersion.parse("1.9")).isLessThan(ApiVersion.parse("1.41"));
        assertThat(ApiVersion.parse("2.0")).isGreaterThan(ApiVersion.parse("1.41"));
    }

    @Test
    void whatIsNoVersionIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> ApiVersion.parse("1"));
        assertThatIllegalArgumentException().isThrownBy(() -> ApiVersion.parse("1.x"));
    }
}
