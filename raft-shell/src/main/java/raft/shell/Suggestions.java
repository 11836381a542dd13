package raft.shell;

import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** What was probably meant by a word that means nothing. */
final class Suggestions {
    private static final int MOST = 3;

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

    /** The line that says it; empty where nothing is near. */
    static String line(CommandLine command, List<String> unmatched) {
        if (unmatched.isEmpty()) {
            return "";
        }
        List<String> meant = of(command.getCommandSpec(), unmatched.getFirst());
        return meant.isEmpty() ? "" : "Did you mean " + String.join(" or ", meant) + "?";
    }
}
