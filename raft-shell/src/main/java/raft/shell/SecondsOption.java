package raft.shell;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

import java.time.Duration;

/** Durations as everywhere, {@code 60s} or {@code 5m}, where whole seconds count. */
public final class SecondsOption implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
        Duration duration = new DurationOption().convert(text);
        long seconds = duration.toSeconds();
        if (!duration.equals(Duration.ofSeconds(seconds)) || seconds > Integer.MAX_VALUE) {
            throw new TypeConversionException("'" + text + "' is not whole seconds; write 60s");
        }
        return (int) seconds;
    }
}
