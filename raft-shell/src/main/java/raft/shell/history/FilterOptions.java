package raft.shell.history;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Option;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryIndex;
import raft.shell.DurationOption;

import java.time.Duration;
import java.util.Locale;

/** Which events are meant; all that are given must fit. */
final class FilterOptions {
    @Option(names = "--key", paramLabel = "KEY", description = "of this key")
    private @Nullable String key;

    @Option(
            names = "--process",
            paramLabel = "N|nemesis",
            description = "of this process; nemesis means the faults")
    private @Nullable String process;

    @Option(
            names = "--value",
            paramLabel = "V",
            description = "with this value, or with it as a part (cas, lists)")
    private @Nullable String value;

    @Option(
            names = "--from",
            paramLabel = "DURATION",
            converter = DurationOption.class,
            description = "from this time on, 12.5s say")
    private @Nullable Duration from;

    @Option(
            names = "--to",
            paramLabel = "DURATION",
            converter = DurationOption.class,
            description = "up to this time")
    private @Nullable Duration to;

    @Option(names = "--type", paramLabel = "TYPE", description = "invoke, ok, fail or info")
    private HistoryEvent.@Nullable Type type;

    @Option(names = "--f", paramLabel = "NAME", description = "of this operation: read, write, …")
    private @Nullable String function;

    @Option(names = "--error", paramLabel = "TEXT", description = "whose error holds this text")
    private @Nullable String error;

    @Option(
            names = "--node",
            paramLabel = "NODE",
            description = "asked of or answered by this node")
    private @Nullable String node;

    /** What was asked for; unusable numbers are an error of usage. */
    HistoryIndex.Filter filter(Histories histories) {
        Long number = null;
        if (process != null) {
            String word = process.toLowerCase(Locale.ROOT);
            if (word.equals("nemesis")) {
                number = HistoryEvent.NEMESIS;
            } else if (word.matches("\\d{1,18}")) {
                number = Long.parseLong(word);
            } else {
                throw histories.usage(
                        "--process must be a number or nemesis, got '" + process + "'");
            }
        }
        if (from != null && to != null && from.compareTo(to) >= 0) {
            throw histories.usage("--from must be before --to");
        }
        return new HistoryIndex.Filter(
                key,
                number,
                value,
                from == null ? 0 : from.toNanos(),
                to == null ? Long.MAX_VALUE : to.toNanos(),
                type,
                function,
                error,
                node);
    }
}
