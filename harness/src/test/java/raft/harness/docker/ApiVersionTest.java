package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ApiVersionTest {
    @ParameterizedTest
    @CsvSource({
        "20.10.24, 1.41, 1.12, 1.41",
        "20.10.24, 1.41,     , 1.41",
        "24.0.9,   1.43, 1.12, 1.43",
        "25.0.3,   1.44, 1.24, 1.44",
        "28.5.1,   1.51, 1.24, 1.44",
        "29.0.0,   1.52, 1.44, 1.44",
        "31.0.0,   1.60, 1.46, 1.46",
        "99.0.0,   2.3,  2.0,  2.0",
    })
    void theVersionNearestToThePreferredOneIsSpoken(
            String engine, String newest, String oldest, String agreed) throws EngineException {
        assertThat(Engine.agree(engine, newest, oldest)).hasToString(agreed);
    }

    @Test
    void anEngineThatIsTooOldIsNamed() {
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> Engine.agree("19.03.15", "1.40", "1.12"))
                .withMessage(
                        "the Docker engine 19.03.15 is too old (API 1.40, needed is 1.41): install"
                                + " engine 20.10 or later");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "null", "1", "1.2.3", "one.two", "v1.44"})
    void somethingElseThatAnswersIsNoEngine(String newest) {
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> Engine.agree("1", newest, "1.12"))
                .withMessageStartingWith("what answers is no Docker engine");
    }

    @Test
    void versionsAreOrderedAsNumbers() {
        assertThat(ApiVersion.parse("1.9")).isLessThan(ApiVersion.parse("1.41"));
        assertThat(ApiVersion.parse("2.0")).isGreaterThan(ApiVersion.parse("1.99"));
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () ->
                                ApiVersion.PREFERRED.clampedTo(
                                        ApiVersion.parse("1.50"), ApiVersion.parse("1.44")));
    }
}
