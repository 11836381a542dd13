package raft.shell;

import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** What was probably meant by a word that means nothing. */
final class Suggestions {
    private static final int MOST = 3;

    /** What the same is called in other shells and stores. */
    private static final Map<String, String> ELSEWHERE =
            Map.ofEntries(
                    Map.entry("set", "put"),
                    Map.entry("write", "put"),
                    Map.entry("read", "get"),
                    Map.entry("del", "delete"),
                    Map.entry("rm", "delete"),
                    Map.entry("ls", "keys"),
                    Map.entry("push", "append"),
                    Map.entry("lock", "acquire"),
                    Map.entry("unlock", "release"),
                    Map.entry("leader", "status"),
                    Map.entry("nodes", "status"),
                    Map.entry("ps", "cluster list"),
                    Map.entry("up", "cluster up"),
                    Map.entry("down", "cluster down"),
                    Map.entry("crash", "kill"),
                    Map.entry("split", "partition"),
                    Map.entry("disconnect", "isolate"),
                    Map.entry("unpause", "resume"),
                    Map.entry("fix", "heal"),
                    Map.entry("tours", "scenario list"),
                    Map.entry("scenarios", "scenario list"),
                    Map.entry("runs", "history list"),
                    Map.entry("?", "help"));

    private Suggestions() {}

    /**
     * Names of subcommands or options that are a slip away from a word, the nearest first.
     *
     * @param word as it was typed
     */
    static List<String> of(CommandSpec spec, String word) {
        List<String> names = new ArrayList<>();
        if (word.startsWith("-")) {
            for (OptionSpec option : spec.options()) {
                names.addAll(List.of(option.names()));
            }
        } else {
            spec.subcommands().forEach((name, sub) -> names.add(name));
        }
        // One slip in a short word, two in a longer one; what was only begun counts as well.
        int slips = word.length() < 4 ? 1 : 2;
        return names.stream()
                .filter(name -> distance(word, name) <= slips || begins(word, name))
                .sorted(Comparator.comparingInt(name -> distance(word, name)))
                .limit(MOST)
                .toList();
    }

    private static boolean begins(String word, String name) {
        return word.length() >= 2 && name.startsWith(word);
    }

    /** Letters to be added, taken away, changed, or swapped with their neighbour. */
    static int distance(String one, String other) {
        int[][] cost = new int[one.length() + 1][other.length() + 1];
        for (int i = 0; i <= one.length(); i++) {
            for (int j = 0; j <= other.length(); j++) {
                if (i == 0 || j == 0) {
                    cost[i][j] = i + j;
                    continue;
                }
                boolean same = one.charAt(i - 1) == other.charAt(j - 1);
                cost[i][j] =
                        Math.min(
                                cost[i - 1][j - 1] + (same ? 0 : 1),
                                Math.min(cost[i - 1][j], cost[i][j - 1]) + 1);
                boolean swapped =
                        i > 1
                                && j > 1
                                && one.charAt(i - 1) == other.charAt(j - 2)
                                && one.charAt(i - 2) == other.charAt(j - 1);
                if (swapped) {
                    cost[i][j] = Math.min(cost[i][j], cost[i - 2][j - 2] + 1);
                }
            }
        }
        return cost[one.length()][other.length()];
    }

    /** Says which word means nothing, and where. */
    static String unknown(CommandLine command, List<String> unmatched) {
        String word = unmatched.getFirst();
        String path = command.getCommandSpec().qualifiedName(" ");
        if (word.startsWith("-") && word.length() > 1) {
            return "'" + path + "' has no option '" + word + "'";
        }
        if (command.getSubcommands().isEmpty()) {
            return "'" + path + "' takes no more words: '" + word + "' is one too many";
        }
        return command.getParent() == null
                ? "no command is called '" + word + "'"
                : "'" + path + "' has no command '" + word + "'";
    }

    /** The line that says it; empty where nothing is near. */
    static String line(CommandLine command, List<String> unmatched) {
        if (unmatched.isEmpty()) {
            return "";
        }
        String word = unmatched.getFirst();
        CommandLine root = command.getCommandSpec().root().commandLine();
        boolean isRoot = command.getParent() == null && !command.getSubcommands().isEmpty();
        String elsewhere = isRoot ? ELSEWHERE.get(word) : null;
        List<String> meant =
                elsewhere != null ? List.of(elsewhere) : of(command.getCommandSpec(), word);
        boolean isCommand =
                !command.getSubcommands().isEmpty() && root.getSubcommands().containsKey(word);
        if (meant.isEmpty() && isCommand) {
            // "cluster status", say: a command that stands alone.
            meant = List.of(word);
        }
        return meant.isEmpty() ? "" : "Did you mean " + String.join(" or ", meant) + "?";
    }
}
