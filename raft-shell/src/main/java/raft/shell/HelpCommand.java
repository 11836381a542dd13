package raft.shell;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import raft.shell.live.UsageException;

import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** {@code help [COMMAND]}: what there is, by what one wants to do. */
@Command(
        name = "help",
        mixinStandardHelpOptions = true,
        description = "What there is; 'help COMMAND' with options and examples.",
        footer = {"", "Examples:", "  help", "  help partition"})
final class HelpCommand implements Callable<Integer> {
    @Parameters(arity = "0..*", paramLabel = "COMMAND", description = "which")
    List<String> words = List.of();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    private static final Map<String, List<String>> GROUPS = new LinkedHashMap<>();

    static {
        GROUPS.put(
                "Cluster",
                List.of(
                        "cluster",
                        "status",
                        "log",
                        "logs",
                        "trace",
                        "config",
                        "members",
                        "transfer",
                        "elect",
                        "snapshot",
                        "wait"));
        GROUPS.put(
                "Data",
                List.of(
                        "get", "put", "cas", "delete", "append", "incr", "add", "enqueue",
                        "dequeue", "acquire", "release", "keys"));
        GROUPS.put(
                "Faults",
                List.of(
                        "partition",
                        "cut",
                        "isolate",
                        "kill",
                        "stop",
                        "start",
                        "restart",
                        "pause",
                        "resume",
                        "clock",
                        "loss",
                        "delay",
                        "disk",
                        "inject",
                        "faults",
                        "heal"));
        GROUPS.put(
                "Time travel (simulated clusters)",
                List.of(
                        "load", "step", "run", "back", "goto", "flight", "deliver", "drop", "dup",
                        "fire", "fail", "why", "first", "diff", "branch", "export"));
        GROUPS.put(
                "Testing",
                List.of(
                        "workload",
                        "check",
                        "history",
                        "test",
                        "nightly",
                        "sim",
                        "scenario",
                        "bench"));
    }

    @Override
    public Integer call() {
        CommandLine root = spec.root().commandLine();
        PrintWriter out = spec.commandLine().getOut();
        CommandLine command = root;
        for (String word : words) {
            CommandLine sub = command.getSubcommands().get(word);
            if (sub == null) {
                throw new UsageException("no command is called '" + word + "'; 'help' lists them");
            }
            command = sub;
        }
        if (!words.isEmpty()) {
            command.usage(out);
            return 0;
        }
        Map<String, CommandLine> left = new LinkedHashMap<>(root.getSubcommands());
        GROUPS.forEach(
                (title, names) -> {
                    out.println(title);
                    for (String name : names) {
                        CommandLine sub = left.remove(name);
                        if (sub != null) {
                            out.println(line(name, sub));
                        }
                    }
                });
        out.println("Other");
        left.forEach((name, sub) -> out.println(line(name, sub)));
        out.println("  try          carries a command out whose failure does not end a script");
        out.println("  exit         leaves the shell");
        out.println();
        out.println("'help COMMAND' tells more and gives examples.");
        return 0;
    }

    private static String line(String name, CommandLine sub) {
        String[] description = sub.getCommandSpec().usageMessage().description();
        String words = description.length == 0 ? "" : description[0].replace("%n", " ").strip();
        String line = String.format("  %-12s %s", name, words);
        return line.length() <= 79 ? line : line.substring(0, 78) + "…";
    }
}
