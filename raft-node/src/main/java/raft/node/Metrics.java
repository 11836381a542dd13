package raft.node;

import raft.node.Status.Progress;

import java.util.Locale;
import java.util.function.ToLongFunction;

/** A status as Prometheus reads it (text format 0.0.4). */
final class Metrics {
    static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    /** Bounds are powers of two, less one: from 1 µs to 17 s, and from 1 to 2^34 for the rest. */
    private static final int FIRST_EXPONENT_NANOS = 10;

    private static final int LAST_EXPONENT = 34;
    private static final double NANOS = 1e9;
    private static final double MICROS = 1e6;

    private final StringBuilder text = new StringBuilder(8192);
    private final String labels;

    private Metrics(Status status) {
        labels = "{cluster=\"" + status.clusterId() + "\",node=\"" + status.id() + "\"}";
    }

    static String text(Status status, Timings timings) {
        Metrics metrics = new Metrics(status);
        metrics.gauges(status);
        for (Status.Count count : status.counters()) {
            // The time of fsyncs is a histogram here.
            if (!count.name().startsWith("fsyncNanos")) {
                String words = snake(count.name());
                String name = "raft_" + words + "_total";
                metrics.value(name, "counter", sentence(words), count.value());
            }
        }
        status.reasons().forEach(metrics::byReason);
        timings.all().forEach(metrics::histogram);
        return metrics.text.toString();
    }

    private void gauges(Status status) {
        value("raft_term", "gauge", "Current term.", status.term());
        boolean leads = status.id().equals(status.leader());
        value("raft_is_leader", "gauge", "1 where this node leads.", leads ? 1 : 0);
        value(
                "raft_has_leader",
                "gauge",
                "1 where a leader is known.",
                status.leader() == null ? 0 : 1);
        value("raft_first_index", "gauge", "First entry in the log.", status.firstIndex());
        value("raft_last_index", "gauge", "Last entry of the log.", status.lastIndex());
        value("raft_durable_index", "gauge", "Last entry on the disk.", status.durableIndex());
        value("raft_commit_index", "gauge", "Last committed entry.", status.commitIndex());
        value("raft_applied_index", "gauge", "Last applied entry.", status.appliedIndex());
        value("raft_keys", "gauge", "Keys in the store.", status.keyCount());
        value("raft_uptime_seconds", "gauge", "Since start.", status.uptimeMillis() / 1000);
        value("raft_queued_events", "gauge", "Waiting for the loop.", status.queues().events());
        value("raft_queued_requests", "gauge", "Not answered.", status.queues().requests());
        value("raft_queued_writes", "gauge", "Waiting for the disk.", status.queues().writes());
        head("raft_peer_connected", "gauge", "1 where the link to the peer stands.");
        for (Status.Peer peer : status.peers()) {
            peer("raft_peer_connected", peer, peer.connected() ? 1 : 0);
        }
        head("raft_peer_queued_messages", "gauge", "Waiting for the link to the peer.");
        for (Status.Peer peer : status.peers()) {
            peer("raft_peer_queued_messages", peer, peer.queuedMessages());
        }
        head("raft_peer_rtt_seconds", "gauge", "The last ping's round trip on the link.");
        for (Status.Peer peer : status.peers()) {
            if (peer.rttMicros() >= 0) {
                peer("raft_peer_rtt_seconds", peer, number(peer.rttMicros() / MICROS));
            }
        }
        progress(status, "lag_entries", "Entries that the peer lacks.", Progress::lagEntries);
        progress(status, "lag_bytes", "Bytes of the log that it lacks.", Progress::lagBytes);
        progress(status, "match_index", "Last entry known to match.", Progress::matchIndex);
        progress(status, "inflight", "Messages not acknowledged.", Progress::inflight);
        progress(status, "inflight_bytes", "Bytes not acknowledged.", Progress::inflightBytes);
        Status.Snapshot snapshot = status.snapshot();
        value(
                "raft_snapshot_index",
                "gauge",
                "Of the newest snapshot; 0: none.",
                snapshot == null ? 0 : snapshot.index());
        value(
                "raft_snapshot_bytes",
                "gauge",
                "Of the newest snapshot; 0: none.",
                snapshot == null ? 0 : snapshot.bytes());
    }

    /** What a leader knows of its followers. */
    private void progress(
            Status status, String what, String help, ToLongFunction<Progress> figure) {
        String name = "raft_peer_" + what;
        head(name, "gauge", help);
        for (Status.Peer peer : status.peers()) {
            Progress progress = peer.progress();
            if (progress != null) {
                peer(name, peer, figure.applyAsLong(progress));
            }
        }
    }

    private void byReason(Status.ByReason reasons) {
        String name = "raft_" + snake(reasons.name()) + "_total";
        head(name, "counter", reasons.help());
        for (Status.Count count : reasons.counts()) {
            text.append(name).append(labels, 0, labels.length() - 1);
            text.append(",reason=\"").append(snake(count.name())).append("\"} ");
            text.append(count.value()).append('\n');
        }
    }

    private void peer(String name, Status.Peer peer, long value) {
        peer(name, peer, Long.toString(value));
    }

    private void peer(String name, Status.Peer peer, String value) {
        text.append(name).append(labels, 0, labels.length() - 1);
        text.append(",peer=\"").append(peer.id()).append("\"} ").append(value).append('\n');
    }

    private void value(String name, String type, String help, long value) {
        head(name, type, help);
        text.append(name).append(labels).append(' ').append(value).append('\n');
    }

    private void head(String name, String type, String help) {
        text.append("# HELP ").append(name).append(' ').append(help).append('\n');
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    private void histogram(Timings.Named named) {
        boolean time = named.unit().equals("nanos");
        String name = "raft_" + named.name() + "_" + (time ? "seconds" : named.unit());
        double scale = time ? NANOS : 1;
        head(name, "histogram", named.help());
        for (int exponent = time ? FIRST_EXPONENT_NANOS : 0;
                exponent <= LAST_EXPONENT;
                exponent++) {
            long bound = (1L << exponent) - 1;
            text.append(name).append("_bucket").append(labels, 0, labels.length() - 1);
            text.append(",le=\"").append(number(bound / scale)).append("\"} ");
            text.append(named.histogram().countAtMost(bound)).append('\n');
        }
        Histogram.Summary summary = named.histogram().summary();
        text.append(name).append("_bucket").append(labels, 0, labels.length() - 1);
        text.append(",le=\"+Inf\"} ").append(summary.count()).append('\n');
        text.append(name).append("_sum").append(labels).append(' ');
        text.append(number(summary.sum() / scale)).append('\n');
        text.append(name).append("_count").append(labels).append(' ');
        text.append(summary.count()).append('\n');
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.9g", value);
    }

    /** "elections_won" becomes "Elections won since start." */
    private static String sentence(String snake) {
        return Character.toUpperCase(snake.charAt(0))
                + snake.substring(1).replace('_', ' ')
                + " since start.";
    }

    /** "electionsWon" becomes "elections_won". */
    private static String snake(String camel) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < camel.length(); i++) {
            char c = camel.charAt(i);
            if (c >= 'A' && c <= 'Z') {
                out.append('_').append((char) (c - 'A' + 'a'));
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }
}
