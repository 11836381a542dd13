package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import raft.client.Blob;
import raft.client.Consistency;
import raft.client.Credentials;
import raft.client.Member;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.client.SessionClient;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

/** {@code ./raft call}: one request to a cluster that this software did not bring up. */
@Command(
        name = "call",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Asks a running cluster, wherever it is: finds the leader, tries again until the answer"
                    + " is certain, writes exactly once.",
            "",
            "Requests: get KEY, put KEY VALUE, cas KEY OLD NEW, delete KEY, append KEY ELEMENT,",
            "increment KEY DELTA, list [PREFIX], members, add-learner ID HOST:PORT, promote ID,",
            "remove ID, transfer [ID], and of the first node named: snapshot, elect.",
            "",
            "Examples:",
            "  call --nodes n1=10.0.0.1:7101 put color red",
            "  call --nodes n1=10.0.0.1:7101,n2=10.0.0.2:7101 transfer n2",
            ""
        })
final class CallCommand implements Callable<Integer> {
    private static final int LIST_KEYS = 1000;

    /** What can be asked, for completion. */
    static final class RequestNames implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return List.of(
                            "get",
                            "put",
                            "cas",
                            "delete",
                            "append",
                            "increment",
                            "list",
                            "members",
                            "add-learner",
                            "promote",
                            "remove",
                            "transfer",
                            "snapshot",
                            "elect")
                    .iterator();
        }
    }

    @Option(
            names = "--nodes",
            required = true,
            split = ",",
            paramLabel = "ID=HOST:PORT",
            description = "where nodes listen for clients; one is enough for reads")
    private List<String> nodes = List.of();

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description = "for all attempts (default: 10s)",
            converter = DurationOption.class)
    private java.time.Duration timeout = java.time.Duration.ofSeconds(10);

    @Option(names = "--tls-cert", paramLabel = "FILE", description = "PEM: own certificate, chain")
    private @Nullable Path certificate;

    @Option(names = "--tls-key", paramLabel = "FILE", description = "PEM: its key, PKCS #8")
    private @Nullable Path key;

    @Option(names = "--tls-ca", paramLabel = "FILE", description = "PEM: who may sign for nodes")
    private @Nullable Path authorities;

    @Parameters(
            arity = "1..*",
            paramLabel = "REQUEST",
            description = "see above",
            completionCandidates = RequestNames.class)
    private List<String> words = List.of();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() {
        Request request = request();
        try (SessionClient client = new SessionClient(addresses(), credentials())) {
            return told(client.call(request, Math.max(1, timeout.toMillis())));
        }
    }

    private Map<String, InetSocketAddress> addresses() {
        Map<String, InetSocketAddress> addresses = new LinkedHashMap<>();
        for (String node : nodes) {
            int equals = node.indexOf('=');
            int colon = node.lastIndexOf(':');
            if (equals < 1
                    || colon < equals + 2
                    || !node.substring(colon + 1).matches("\\d{1,5}")) {
                throw bad("--nodes must read ID=HOST:PORT,…, not '" + node + "'");
            }
            int port = Integer.parseInt(node.substring(colon + 1));
            if (port < 1 || port > 65_535) {
                throw bad("there is no port " + port);
            }
            addresses.put(
                    node.substring(0, equals).strip(),
                    new InetSocketAddress(node.substring(equals + 1, colon), port));
        }
        return addresses;
    }

    private @Nullable Credentials credentials() {
        Path own = certificate;
        Path secret = key;
        Path signers = authorities;
        if (own == null && secret == null && signers == null) {
            return null;
        }
        if (own == null || secret == null || signers == null) {
            throw bad("TLS needs all of --tls-cert, --tls-key and --tls-ca");
        }
        try {
            return Credentials.load(own, secret, signers);
        } catch (IOException e) {
            throw bad(String.valueOf(e.getMessage()));
        }
    }

    private Request request() {
        try {
            return switch (words.getFirst()) {
                case "get" -> new Request.Get(blob(1, 2));
                case "put" -> new Request.Put(blob(1, 3), blob(2, 3));
                case "cas" -> new Request.Cas(blob(1, 4), blob(2, 4), blob(3, 4));
                case "delete" -> new Request.Delete(blob(1, 2));
                case "append" -> new Request.Append(blob(1, 3), blob(2, 3));
                case "increment" -> new Request.Increment(blob(1, 3), Long.parseLong(word(2, 3)));
                case "list" ->
                        new Request.ListKeys(
                                words.size() == 1 ? Blob.EMPTY : blob(1, 2),
                                Blob.EMPTY,
                                LIST_KEYS,
                                Consistency.LINEARIZABLE);
                case "members" -> new Request.Admin.ReadConfiguration();
                case "add-learner" -> new Request.Admin.AddLearner(word(1, 3), word(2, 3));
                case "promote" -> new Request.Admin.Promote(word(1, 2));
                case "remove" -> new Request.Admin.Remove(word(1, 2));
                case "transfer" ->
                        new Request.Admin.TransferLeadership(words.size() == 1 ? null : word(1, 2));
                case "snapshot" -> new Request.Admin.TakeSnapshot();
                case "elect" -> new Request.Admin.StartElection();
                default -> throw bad("there is no request '" + words.getFirst() + "', see --help");
            };
        } catch (NumberFormatException e) {
            throw bad("a delta is a whole number of 64 bits, not '" + words.get(2) + "'");
        } catch (IllegalArgumentException e) {
            throw bad(String.valueOf(e.getMessage()));
        }
    }

    private Blob blob(int index, int count) {
        return Blob.ofText(word(index, count));
    }

    private String word(int index, int count) {
        if (words.size() != count) {
            throw bad(words.getFirst() + " takes " + (count - 1) + " words, see --help");
        }
        return words.get(index);
    }

    private ParameterException bad(String sentence) {
        return new ParameterException(spec.commandLine(), sentence);
    }

    private int told(Reply reply) {
        return switch (reply) {
            case Reply.Ok(Result result, _, _) -> {
                spec.commandLine().getOut().println(text(result));
                yield result instanceof Result.CompareFailed ? 1 : 0;
            }
            case Reply.Refused(Refusal reason, _, String message) -> {
                say(
                        "certainly not done ("
                                + reason.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-')
                                + "): "
                                + message);
                yield Main.EXIT_FAILURE;
            }
            case Reply.Unknown(String message) -> {
                say("it may have been done, or may be yet: " + message);
                yield 2;
            }
        };
    }

    private void say(String sentence) {
        spec.commandLine().getErr().println("raft: " + sentence);
    }

    private static String text(Result result) {
        return switch (result) {
            case Result.Done() -> "ok";
            case Result.Found(Blob value) -> value.text();
            case Result.Absent() -> "(absent)";
            case Result.CompareFailed() -> "compare failed";
            case Result.Number(long number) -> Long.toString(number);
            case Result.Versioned(long version, Blob value) -> value.text() + " (" + version + ")";
            case Result.Elements(List<Blob> elements) -> lines(elements);
            case Result.Held(long token, Blob owner) -> owner.text() + " holds it, token " + token;
            case Result.Keys(List<Blob> keys, boolean more) -> lines(keys) + (more ? "\n…" : "");
            case Result.Configuration(long index, boolean committed, List<Member> members) ->
                    members.stream()
                            .map(
                                    member ->
                                            member.id()
                                                    + " "
                                                    + member.peerAddress()
                                                    + (member.voter() ? " voter" : " learner"))
                            .collect(Collectors.joining("\n"));
        };
    }

    private static String lines(List<Blob> all) {
        return all.stream().map(Blob::text).collect(Collectors.joining("\n"));
    }
}
