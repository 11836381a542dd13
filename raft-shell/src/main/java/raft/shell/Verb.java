package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import raft.harness.cluster.NodeStatus;
import raft.shell.live.LiveCluster;
import raft.shell.live.Session;
import raft.shell.live.UsageException;
import raft.shell.view.Paint;

import tools.jackson.databind.json.JsonMapper;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

/** A command that works on the session's cluster: what all of them have in common. */
@Command(mixinStandardHelpOptions = true, sortOptions = false)
abstract class Verb implements Callable<Integer>, InSession {
    @Option(
            names = "--output",
            defaultValue = "text",
            paramLabel = "text|json",
            description = "(default: text)")
    OutputForm output = OutputForm.TEXT;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    private @Nullable Session session;

    @Override
    public final void enter(Session entered) {
        session = entered;
    }

    final Session session() {
        if (session == null) {
            throw new IllegalStateException("the command was made without a session");
        }
        return session;
    }

    final LiveCluster cluster() {
        return session().cluster();
    }

    final PrintWriter out() {
        return spec.commandLine().getOut();
    }

    final PrintWriter err() {
        return spec.commandLine().getErr();
    }

    final Paint paint() {
        return Paint.of(session().isColour());
    }

    final int width() {
        return session().columns();
    }

    final boolean isJson() {
        return output == OutputForm.JSON;
    }

    /** Its own name. */
    final String name() {
        return spec.name();
    }

    /** The words as they were typed. */
    final String typed() {
        return spec.name()
                + " "
                + String.join(" ", spec.commandLine().getParseResult().originalArgs());
    }

    final void say(String line) {
        out().println(line);
        out().flush();
    }

    final void say(List<String> lines) {
        lines.forEach(out()::println);
        out().flush();
    }

    final void json(Object object) {
        say(JsonMapper.shared().writeValueAsString(object));
    }

    /** Nodes from words like "n1,n2" or "leader"; each exists, none is named twice. */
    final List<String> nodes(String words) {
        List<String> named = new ArrayList<>();
        for (String word : words.split(",", -1)) {
            String node = word.strip().equals("leader") ? leader() : session().node(word.strip());
            if (named.contains(node)) {
                throw new UsageException(node + " is named twice");
            }
            named.add(node);
        }
        return named;
    }

    final String node(String word) {
        List<String> named = nodes(word);
        if (named.size() != 1) {
            throw new UsageException("name one node, not " + named.size());
        }
        return named.getFirst();
    }

    /** Who leads now. */
    final String leader() {
        NodeStatus leader = cluster().leader();
        if (leader == null) {
            throw new UsageException("nobody leads now; 'status' shows why, 'wait leader' waits");
        }
        return leader.node();
    }

    static String seconds(long nanos) {
        return String.format(Locale.ROOT, "%.3f s", nanos / 1e9);
    }

    static String millis(long nanos) {
        return String.format(Locale.ROOT, nanos < 10_000_000 ? "%.1f ms" : "%.0f ms", nanos / 1e6);
    }
}
