package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.cluster.Completion;
import raft.harness.cluster.NodeStatus;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.Value;
import raft.shell.live.DataText;
import raft.shell.live.LiveCluster;
import raft.shell.live.UsageException;

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

        @Option(
                names = "--client",
                paramLabel = "N",
                description =
                        "as which client, 0 to 99: one client does one thing at a time, and a lock"
                                + " belongs to one (default: the first that is free)")
        @Nullable Integer client;

        abstract String f();

        /** What it is about: a key. */
        abstract Value object();

        Value value() {
            return Value.NIL;
        }

        @Override
        public Integer call() throws InterruptedException {
            LiveCluster up = cluster();
            if (client != null && (client < 0 || client >= LiveCluster.TYPED_PROCESSES)) {
                throw new UsageException("--client is a number from 0 to 99, not " + client);
            }
            String asked = from != null ? node(from) : anyNode(up);
            long startNanos = up.isSimulated() ? nowNanos(up) : System.nanoTime();
            Completion.Operation ended = up.operate(client, asked, f(), object(), value(), timeout);
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
            return ended.value() instanceof Value.Nil ? "no value" : DataText.of(ended.value());
        }

        /** Why a comparison kept it from being done. */
        String refusal() {
            return "not equal: another value was there;";
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
                                ? paint().unsure(refusal()) + " nothing was changed" + facts
                                : paint().bad("failed")
                                        + "  "
                                        + (f().endsWith("read")
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
            object.put("key", plain(ended.invocation().key()));
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

    /** Concerns one key. */
    abstract static class OfKey extends Data {
        @Parameters(index = "0", paramLabel = "KEY", description = "the key")
        String key = "";

        @Override
        Value object() {
            return DataText.parse(key);
        }
    }

    /** Concerns one key and something that is put there. */
    abstract static class OfKeyAndValue extends OfKey {
        @Parameters(index = "1", paramLabel = "VALUE", description = "what to write")
        String written = "";

        @Override
        Value value() {
            return DataText.parse(written);
        }
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
            description = "Reads a key: a value, a list, a set, a queue, a counter or a lock.",
            footer = {
                "",
                "linearizable asks a majority; lease trusts the leader's clock, where the cluster"
                        + " has leases on;",
                "stale takes what the node that is asked happens to have.",
                "",
                "Examples:",
                "  get x",
                "  get x --from n2",
                "  get x --read stale --from n2"
            })
    static final class Get extends OfKey {
        @Option(
                names = "--read",
                paramLabel = "linearizable|lease|stale",
                defaultValue = "linearizable",
                description = "how fresh the answer must be (default: linearizable)")
        String read = "linearizable";

        @Override
        String f() {
            return switch (read) {
                case "linearizable" -> "read";
                case "lease" -> "lease-read";
                case "stale" -> "stale-read";
                default ->
                        throw new UsageException(
                                "a read is linearizable, lease or stale, not '" + read + "'");
            };
        }
    }

    @Command(
            name = "put",
            description = "Writes a key.",
            footer = {"", "Examples:", "  put x 1", "  put x 'two words' --from n3"})
    static final class Put extends OfKeyAndValue {
        @Override
        String f() {
            return "write";
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
    static final class Cas extends OfKey {
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
            return Value.of(
                    expected.equals("nil") ? Value.NIL : DataText.parse(expected),
                    DataText.parse(written));
        }

        @Override
        String answer(Completion.Operation ended) {
            return key + " = " + written + ", was " + expected;
        }
    }

    @Command(
            name = "delete",
            description = "Takes a key away, whatever it holds.",
            footer = {"", "Example:  delete x"})
    static final class Delete extends OfKey {
        @Override
        String f() {
            return "delete";
        }

        @Override
        String answer(Completion.Operation ended) {
            return key + " has no value now";
        }
    }

    @Command(
            name = "append",
            description = "Adds to the end of a list.",
            footer = {"", "Example:  append log first"})
    static final class Append extends OfKeyAndValue {
        @Override
        String f() {
            return "append";
        }

        @Override
        String answer(Completion.Operation ended) {
            return written + " is the last of " + key;
        }
    }

    @Command(
            name = "incr",
            description = "Adds to a counter, which begins at 0.",
            footer = {"", "Examples:", "  incr hits", "  incr hits 10", "  incr hits -- -1"})
    static final class Increment extends OfKey {
        @Parameters(
                index = "1",
                arity = "0..1",
                defaultValue = "1",
                paramLabel = "N",
                description = "how much (default: 1)")
        long amount;

        @Override
        String f() {
            return "increment";
        }

        @Override
        Value value() {
            return Value.of(amount);
        }

        @Override
        String answer(Completion.Operation ended) {
            return ended.value() instanceof Value.Seq(List<Value> both)
                    ? key + " = " + DataText.of(both.getLast())
                    : DataText.of(ended.value());
        }
    }

    @Command(
            name = "add",
            description = "Adds an element to a set.",
            footer = {"", "Example:  add colours red"})
    static final class Add extends OfKeyAndValue {
        @Override
        String f() {
            return "add";
        }

        @Override
        String answer(Completion.Operation ended) {
            return written + " is in " + key;
        }
    }

    @Command(
            name = "enqueue",
            description = "Adds to the end of a queue.",
            footer = {"", "Example:  enqueue jobs first"})
    static final class Enqueue extends OfKeyAndValue {
        @Override
        String f() {
            return "enqueue";
        }

        @Override
        String answer(Completion.Operation ended) {
            return written + " waits in " + key;
        }
    }

    @Command(
            name = "dequeue",
            description = "Takes the oldest element of a queue.",
            footer = {"", "Example:  dequeue jobs"})
    static final class Dequeue extends OfKey {
        @Override
        String f() {
            return "dequeue";
        }

        @Override
        String answer(Completion.Operation ended) {
            return ended.value() instanceof Value.Nil
                    ? key + " is empty"
                    : DataText.of(ended.value());
        }
    }

    @Command(
            name = "acquire",
            description = "Takes a lock; answers with its fencing token.",
            footer = {
                "",
                "Who types is client 0 unless --client says otherwise; a lock belongs to a client.",
                "",
                "Examples:",
                "  acquire door",
                "  acquire door --client 2     another client: held by client 0"
            })
    static final class Acquire extends OfKey {
        @Override
        String f() {
            return "acquire";
        }

        @Override
        String answer(Completion.Operation ended) {
            return key + " is held, token " + DataText.of(ended.value());
        }

        @Override
        String refusal() {
            return "held by another client;";
        }
    }

    @Command(
            name = "release",
            description = "Gives a lock back.",
            footer = {"", "Examples:", "  release door", "  release door --client 2"})
    static final class Release extends OfKey {
        @Override
        String f() {
            return "release";
        }

        @Override
        String answer(Completion.Operation ended) {
            return key + " is free";
        }

        @Override
        String refusal() {
            return "not held by this client;";
        }
    }

    @Command(
            name = "keys",
            description = "Lists keys, in order.",
            footer = {"", "Examples:", "  keys", "  keys user/ --limit 20"})
    static final class Keys extends Data {
        @Parameters(
                index = "0",
                arity = "0..1",
                paramLabel = "PREFIX",
                description = "only those that begin so")
        @Nullable String prefix;

        @Option(
                names = "--limit",
                paramLabel = "N",
                defaultValue = "100",
                description = "most of them, 1 to 1000 (default: 100)")
        int limit;

        @Override
        String f() {
            return "keys";
        }

        @Override
        Value object() {
            return prefix == null ? Value.NIL : Value.of(prefix);
        }

        @Override
        Value value() {
            if (limit < 1 || limit > 1_000) {
                throw new UsageException("--limit must be between 1 and 1000, got " + limit);
            }
            return Value.of(limit);
        }

        @Override
        String answer(Completion.Operation ended) {
            return ended.value() instanceof Value.Seq(List<Value> keys)
                    ? keys.isEmpty()
                            ? "no key"
                            : String.join(" ", keys.stream().map(DataText::of).toList())
                    : DataText.of(ended.value());
        }
    }
}
