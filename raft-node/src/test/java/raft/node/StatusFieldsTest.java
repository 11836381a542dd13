package raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import raft.client.Blob;
import raft.client.Request;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What operators, the shell and the harness were promised to be told, against real nodes. */
@Timeout(60)
final class StatusFieldsTest {
    /** A line for each kind of fact; a dot leads into an object, "[]" into an array's first. */
    private static final List<String> EVERYWHERE =
            List.of(
                    "id clusterId bootId uptimeMillis",
                    "role term votedFor leader standing leaderContactMillis deadlineMillis",
                    "firstIndex lastIndex durableIndex commitIndex appliedIndex lastTerm",
                    "snapshot.index snapshot.term snapshot.bytes",
                    "configuration.index configuration.committed configuration.members[].voter",
                    "committedConfiguration.index committedConfiguration.members[].id",
                    "peers[].id peers[].connected peers[].queuedMessages peers[].rttMicros",
                    "queues.events queues.requests queues.writes",
                    "counters.electionsStarted counters.electionsWon counters.stepDowns",
                    "votesRefused.leaderAlive votesRefused.noVote votesRefused.oldTerm",
                    "votesRefused.voted votesRefused.logBehind",
                    "stepDownsByReason.higherTerm stepDownsByReason.noQuorum",
                    "stepDownsByReason.diskStalled stepDownsByReason.removed",
                    "counters.truncations counters.truncatedEntries counters.sessionDuplicates",
                    "counters.snapshotsTaken counters.snapshotsInstalled",
                    "counters.framesDropped counters.checksumErrors",
                    "transitions[].reason transitions[].from transitions[].to",
                    "clock.utcMillis clock.monotonicNanos keyCount stateHash");

    private static final List<String> ON_THE_LEADER =
            List.of(
                    "peers[].matchIndex peers[].nextIndex peers[].state",
                    "peers[].inflight peers[].inflightBytes peers[].sendMillis peers[].ackMillis",
                    "peers[].lagEntries peers[].lagBytes");

    private static final List<String> TIMINGS =
            List.of(
                    "queue nanos",
                    "append nanos",
                    "fsync nanos",
                    "quorum nanos",
                    "commit nanos",
                    "apply nanos",
                    "reply nanos",
                    "read nanos",
                    "durable nanos",
                    "turn inputs",
                    "fsync entries",
                    "fsync bytes");

    @TempDir private Path folder;
    private TestCluster cluster = TestCluster.NONE;
    private String leader = "";

    @BeforeEach
    void startCluster() throws Exception {
        cluster = TestCluster.start(folder, 3);
        leader = cluster.awaitLeader();
        Blob key = Blob.ofText("k");
        cluster.call(new Request.Put(key, key));
        cluster.call(new Request.Get(key));
        cluster.call(new Request.Admin.TakeSnapshot());
        cluster.await(
                "pings of both peers",
                () ->
                        cluster.status(leader).peers().stream()
                                .allMatch(peer -> peer.rttMicros() >= 0));
    }

    @AfterEach
    void closeCluster() {
        cluster.close();
    }

    @Test
    void everyFieldIsThere() throws Exception {
        String json = cluster.http(leader, "/status").substring("200 ".length());
        Set<String> paths = new JsonPaths(json).all();
        assertThat(paths).containsAll(words(EVERYWHERE)).containsAll(words(ON_THE_LEADER));
        assertThat(json).contains("\"state\":\"replicate\"");
        for (String timing : TIMINGS) {
            String name = timing.substring(0, timing.indexOf(' '));
            String unit = timing.substring(timing.indexOf(' ') + 1);
            Matcher found =
                    Pattern.compile(
                                    "\\{\"name\":\""
                                            + name
                                            + "\",\"unit\":\""
                                            + unit
                                            + "\",\"count\":(\\d+)")
                            .matcher(json);
            assertThat(found.find()).as(timing).isTrue();
            assertThat(Long.parseLong(found.group(1))).as(timing).isPositive();
        }
        String follower = cluster.http(cluster.anyBut(leader), "/status");
        assertThat(new JsonPaths(follower.substring(4)).all())
                .containsAll(
                        words(EVERYWHERE).stream()
                                .filter(path -> !path.startsWith("snapshot."))
                                .toList());
    }

    private static List<String> words(List<String> lines) {
        return lines.stream().flatMap(line -> List.of(line.split(" ")).stream()).toList();
    }

    /**
     * Prometheus' text format 0.0.4: each metric's lines together, its type before them, names and
     * escapes as the grammar has them, histograms cumulative up to +Inf, which equals the count.
     */
    @Test
    void everyNodesMetricsAreWhatPrometheusReads() throws Exception {
        for (String id : cluster.ids()) {
            String text = cluster.http(id, "/metrics").substring("200 ".length());
            new Exposition().check(text);
            assertThat(text)
                    .contains(
                            "raft_votes_refused_total{cluster=\"lab\",node=\"" + id + "\",reason=")
                    .contains("raft_append_seconds_bucket")
                    .contains("raft_quorum_seconds_count")
                    .contains("raft_peer_rtt_seconds{");
        }
    }

    /** A reader that accepts no more than the grammar does. */
    private static final class Exposition {
        private static final Pattern SAMPLE =
                Pattern.compile(
                        "([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{((?:[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\\\n"
                            + "]|\\\\[\\\\\"n])*\",?)*)})?"
                            + " ([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?|[+-]Inf|NaN)");
        private static final Pattern BOUND = Pattern.compile("le=\"([^\"]+)\"");

        private final Map<String, String> types = new HashMap<>();
        private final Set<String> closed = new HashSet<>();
        private final Set<String> series = new HashSet<>();
        private String current = "";
        private double lastBound = Double.NEGATIVE_INFINITY;
        private double lastCount;

        void check(String text) {
            assertThat(text).endsWith("\n");
            text.lines().forEach(this::line);
            assertThat(types.keySet()).hasSizeGreaterThan(45);
        }

        private void line(String line) {
            if (line.startsWith("# ")) {
                String[] words = line.split(" ", 4);
                assertThat(words[1]).as(line).isIn("HELP", "TYPE");
                begin(words[2], line);
                if (words[1].equals("TYPE")) {
                    assertThat(words[3]).as(line).isIn("counter", "gauge", "histogram");
                    assertThat(types.put(words[2], words[3])).as(line).isNull();
                }
                return;
            }
            Matcher sample = SAMPLE.matcher(line);
            assertThat(sample.matches()).as(line).isTrue();
            assertThat(series.add(line.substring(0, sample.end(1)) + sample.group(2)))
                    .as(line)
                    .isTrue();
            String name = sample.group(1);
            boolean histogram = "histogram".equals(types.get(current));
            String base = histogram ? name.replaceAll("_(bucket|sum|count)$", "") : name;
            assertThat(base).as(line).isEqualTo(current);
            assertThat(types).as(line).containsKey(current);
            if ("counter".equals(types.get(current))) {
                assertThat(name).as(line).endsWith("_total");
            }
            if (histogram) {
                bucket(name, line, Double.parseDouble(sample.group(3)));
            }
        }

        private void begin(String name, String line) {
            if (!name.equals(current)) {
                assertThat(closed).as(line).doesNotContain(name);
                closed.add(current);
                current = name;
                lastBound = Double.NEGATIVE_INFINITY;
                lastCount = 0;
            }
        }

        private void bucket(String name, String line, double value) {
            if (name.endsWith("_bucket")) {
                Matcher bound = BOUND.matcher(line);
                assertThat(bound.find()).as(line).isTrue();
                double most =
                        bound.group(1).equals("+Inf")
                                ? Double.POSITIVE_INFINITY
                                : Double.parseDouble(bound.group(1));
                assertThat(most).as(line).isGreaterThan(lastBound);
                assertThat(value).as(line).isGreaterThanOrEqualTo(lastCount);
                lastBound = most;
                lastCount = value;
            } else if (name.endsWith("_count")) {
                assertThat(lastBound).as(line).isEqualTo(Double.POSITIVE_INFINITY);
                assertThat(value).as(line).isEqualTo(lastCount);
            }
        }
    }

    /** Which fields a document has; fails where it is no JSON. */
    private static final class JsonPaths {
        private final String text;
        private final Set<String> all = new HashSet<>();
        private int at;

        JsonPaths(String text) {
            this.text = text.strip();
        }

        Set<String> all() {
            value("");
            assertThat(at).as("nothing follows the document").isEqualTo(text.length());
            return all;
        }

        private void value(String path) {
            all.add(path);
            switch (text.charAt(at)) {
                case '{' -> members('}', path);
                case '[' -> members(']', path + "[]");
                case '"' -> string();
                default -> {
                    Matcher word =
                            Pattern.compile("true|false|null|-?[0-9]+(\\.[0-9]+)?").matcher(text);
                    assertThat(word.find(at) && word.start() == at).as("at %d", at).isTrue();
                    at = word.end();
                }
            }
        }

        private void members(char end, String path) {
            List<String> names = new ArrayList<>();
            at++;
            while (text.charAt(at) != end) {
                String inner = path;
                if (end == '}') {
                    String name = string();
                    assertThat(names).doesNotContain(name);
                    names.add(name);
                    assertThat(text.charAt(at++)).isEqualTo(':');
                    inner = path.isEmpty() ? name : path + "." + name;
                }
                value(inner);
                if (text.charAt(at) == ',') {
                    at++;
                    assertThat(text.charAt(at)).isNotEqualTo(end);
                }
            }
            at++;
        }

        private String string() {
            int start = ++at;
            while (text.charAt(at) != '"') {
                at += text.charAt(at) == '\\' ? 2 : 1;
            }
            return text.substring(start, at++);
        }
    }
}
