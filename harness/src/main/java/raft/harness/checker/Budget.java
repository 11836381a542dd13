package raft.harness.checker;

import java.time.Duration;

/**
 * How much a check may cost. When it is spent the verdict is {@link Verdict.Unknown}, never an
 * error.
 *
 * @param time of wall clock, positive
 * @param memoryBytes the search may hold, positive
 */
public record Budget(Duration time, long memoryBytes) {
    public static final Budget DEFAULT = new Budget(Duration.ofSeconds(60), 1L << 30);
}
