package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.cluster.Completion;
import raft.harness.cluster.NodeStatus;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.Value;
import raft.shell.live.LiveCluster;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Reading and writing by hand. Each says what is known: who answered, at which term and index. */
final class DataCommands {
    private DataCommands() {}

    /** What all of them have in common. Exit status 0 done, 2 unknown, 255 certainly not done. */
    abstract static class Data extends Verb {
        @Parameters(index = "0", paramLabel = "KEY", description = "the key")
        String key = "";

        @Option(
                names = "--from",
                paramLabel = "NODE",
                description =
                        "the node that is asked first (default: the leader where one is known)")
        @Nullable String from;

        @Option(
                names = "--timeout",
                paramLabel = "DURATION",
                defaultValue = "2s",
                converter = DurationOption.class,
                description = "how long to wait for an answer (default: 2s)")
        Duration timeout = Duration.ofSeconds(2);

        abstract String f();

        Value value() {
            return Value.NIL;
        }

        @Override
        public Integer call() throws InterruptedException {
            LiveCluster up = cluster();
            String asked = from != null ? node(from) : anyNode(up);
            long startNanos = up.isSimulated() ? nowNanos(up) : System.nanoTime();
            Completion.Operation ended = up.operate(asked, f(), parse(key), value(), timeout);
            long tookNanos = (up.isSimulated() ? nowNanos(up) : System.nanoTime()) - startNanos;
            if (isJson()) {
                json(object(ended, asked, tookNanos));
            } else {
                say(words(ended, asked, tookNanos));
            }
            if (ended.type() == Type.FAIL && isCompareFailed(ended)) {
                return 0;
            }
            return switch (ended.type()) {
                case OK -> 0;
                case INFO -> 2;
                case FAIL, INVOKE -> Main.EXIT_FAILURE;
            };
        }

        private static long nowNanos(LiveCluster up) throws InterruptedException {
            return up.ask(cluster -> cluster.nowNanos());
        }

        private static String anyNode(LiveCluster up) {
            NodeStatus leader = up.leader();
            if (leader != null) {
                return leader.node();
            }
            return up.latest().stream()
                    .filter(NodeStatus::reachable)
                    .map(NodeStatus::node)
                    .findFirst()
                    .orElse(up.nodes().getFirst());
        }

        private static boolean isCompareFailed(Completion.Operation ended) {
            String error = ended.error();
            return error != null && error.startsWith("compare-failed");
        }

        String answer(Completion.Operation ended) {
            return ended.value() instanceof Value.Nil ? "no value" : text(ended.value());
        }

        private String words(Completion.Operation ended, String asked, long tookNanos) {
            String took = millis(tookNanos);
            String where =
                    ended.node() == null
                            ? "asked " + asked
                            : ended.node()
                                    + (ended.logIndex() > 0
                                            ? ", term "
                                                    + ended.term()
                                                    + ", index "
                                                    + ended.logIndex()
                                            : "");
            String facts = paint().dim("  (" + where + ", " + took + ")");
            return switch (ended.type()) {
                case OK -> paint().good("ok") + "  " + answer(ended) + facts;
                case INFO ->
                        paint().unsure("unknown")
                                + "  it may have happened, or may yet happen: "
                                + ended.error()
                                + facts;
                case FAIL, INVOKE ->
                        isCompareFailed(ended)
                                ? paint().unsure("not equal")
                                        + "  nothing was changed: another value was there"
                                        + facts
                                : paint().bad("failed")
                                        + "  "
                                        + (f().equals("read")
                                                ? "no answer: "
                                                : "it certainly did not happen: ")
                                        + ended.error()
                                        + facts;
            };
        }

        private Map<String, Object> object(
                Completion.Operation ended, String asked, long tookNanos) {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("outcome", ended.type().name().toLowerCase(Locale.ROOT));
            object.put("f", ended.invocation().f());
            object.put("key", key);
            object.put("value", plain(ended.value()));
            object.put("asked", asked);
            object.put("node", ended.node());
            object.put("term", ended.term());
            object.put("index", ended.logIndex());
            object.put("error", ended.error());
            object.put("millis", tookNanos / 1e6);
            return object;
        }
    }

    /** Numbers are numbers, everything else is text. */
    static Value parse(String word) {
        try {
            long number = Long.parseLong(word);
            return Long.toString(number).equals(word) ? Value.of(number) : Value.of(word);
        } catch (NumberFormatException e) {
            return Value.of(word);
        }
    }

    static String text(Value value) {
        return value instanceof Value.Text(String text) ? text : value.toString();
    }

    static @Nullable Object plain(Value value) {
        return switch (value) {
            case Value.Nil() -> null;
            case Value.Int(long number) -> number;
            case Value.Text(String text) -> text;
            case Value.Bool(boolean truth) -> truth;
            case Value.Seq(List<Value> values) -> values.stream().map(DataCommands::plain).toList();
        };
    }

    @Command(
            name = "get",
            description = "Reads a key.",
            footer = {"", "Examples:", "  get x", "  get x --from n2"})
    static final class Get extends Data {
        @Override
        String f() {
            return "read";
        }
    }

    @Command(
            name = "put",
            description = "Writes a key.",
            footer = {"", "Examples:", "  put x 1", "  put x 'two words' --from n3"})
    static final class Put extends Data {
        @Parameters(index = "1", paramLabel = "VALUE", description = "what to write")
        String written = "";

        @Override
        String f() {
            return "write";
        }

        @Override
        Value value() {
            return parse(written);
        }

        @Override
        String answer(Completion.Operation ended) {
            return key + " = " + written;
        }
    }

    @Command(
            name = "cas",
            description = "Writes a key if it holds what is expected.",
            footer = {
                "",
                "Examples:",
                "  cas x 1 2          1 becomes 2",
                "  cas x nil 1        only if there is no value"
            })
    static final class Cas extends Data {
        @Parameters(index = "1", paramLabel = "EXPECTED", description = "a value, or nil")
        String expected = "";

        @Parameters(index = "2", paramLabel = "VALUE", description = "what to write then")
        String written = "";

        @Override
        String f() {
            return "cas";
        }

        @Override
        Value value() {
            return Value.of(expected.equals("nil") ? Value.NIL : parse(expected), parse(written));
        }

        @Override
        String answer(Completion.Operation ended) {
            return key + " = " + written + ", was " + expected;
        }
    }

    @Command(
            name = "delete",
            description = "Takes a key away.",
            footer = {"", "Example:  delete x"})
    static final class Delete extends Data {
        @Override
        String f() {
            return "delete";
        }

        @Override
        String answer(Completion.Operation ended) {
            return key + " has no value now";
        }
    }
}
