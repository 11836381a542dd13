package raft.shell;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads "500ms", "60s", "1.5m", "8h" or a bare number of seconds. */
public final class DurationOption implements ITypeConverter<Duration> {
    private static final Pattern FORM =
            Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)(ms|s|m|min|h|)");

    @Override
    public Duration convert(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new TypeConversionException(
                    "'" + text + "' is not a duration; write 500ms, 60s, 5m or 8h");
        }
        double unitNanos =
                switch (matcher.group(2)) {
                    case "ms" -> 1e6;
                    case "m", "min" -> 60e9;
                    case "h" -> 3600e9;
                    default -> 1e9;
                };
        return Duration.ofNanos(Math.round(Double.parseDouble(matcher.group(1)) * unitNanos));
    }
}
