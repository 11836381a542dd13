package raft.shell.repl;

import org.jline.reader.Candidate;
import org.jline.reader.Completer;
import org.jline.reader.LineReader;
import org.jline.reader.ParsedLine;

import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Completes commands, options and what they take. What an argument takes is told by its label in
 * the help: NODE, KEY, RUN, SCENARIO, …; the names behind a label are asked for when needed.
 */
public final class Completions implements Completer {
    private final CommandLine tree;
    private final Map<String, Supplier<List<String>>> byLabel;

    /**
     * @param tree read only
     * @param byLabel names by the label of an argument, in capitals
     */
    public Completions(CommandLine tree, Map<String, Supplier<List<String>>> byLabel) {
        this.tree = tree;
        this.byLabel = byLabel;
    }

    @Override
    public void complete(LineReader reader, ParsedLine line, List<Candidate> candidates) {
        List<String> before = new ArrayList<>();
        for (String word : line.words().subList(0, line.wordIndex())) {
            if (word.equals(";")) {
                before.clear();
            } else {
                before.add(word);
            }
        }
        if (!before.isEmpty() && before.getFirst().equals("try")) {
            before.removeFirst();
        }
        // The first of "n1,n2,…" are kept, and the last is completed.
        int comma = line.word().lastIndexOf(',') + 1;
        String kept = line.word().substring(0, comma);
        for (Named named : candidates(before, line.word().substring(comma))) {
            if (List.of(kept.split(",", -1)).contains(named.name)) {
                continue;
            }
            String whole = kept + named.name;
            candidates.add(new Candidate(whole, named.name, null, named.words, null, null, true));
        }
    }

    /** A name and what it is, null where it speaks for itself. */
    public record Named(String name, @org.jspecify.annotations.Nullable String words) {}

    /** What may stand after these words; the caller filters by what was begun. */
    public List<Named> candidates(List<String> before, String begun) {
        CommandLine command = tree;
        int at = 0;
        while (at < before.size()) {
            CommandLine sub = command.getSubcommands().get(before.get(at));
            if (sub == null) {
                break;
            }
            command = sub;
            at++;
        }
        CommandSpec spec = command.getCommandSpec();
        List<Named> found = new ArrayList<>();
        List<String> given = before.subList(at, before.size());
        if (given.isEmpty() && !command.getSubcommands().isEmpty()) {
            command.getSubcommands()
                    .forEach(
                            (name, sub) ->
                                    found.add(
                                            new Named(name, firstSentence(sub.getCommandSpec()))));
            if (at == 0) {
                found.add(new Named("exit", "leave the shell"));
            }
        }
        OptionSpec waiting = given.isEmpty() ? null : option(spec, given.getLast());
        if (waiting != null && waiting.arity().max() > 0) {
            values(waiting, found);
            return found;
        }
        if (begun.startsWith("-")) {
            for (OptionSpec option : spec.options()) {
                if (!option.hidden() && !given.contains(option.longestName())) {
                    found.add(
                            new Named(
                                    option.longestName(), String.join(" ", option.description())));
                }
            }
            return found;
        }
        int position = positions(spec, given);
        for (PositionalParamSpec positional : spec.positionalParameters()) {
            if (positional.index().contains(position)) {
                values(positional, found);
            }
        }
        return found;
    }

    private static String firstSentence(CommandSpec spec) {
        String[] description = spec.usageMessage().description();
        return description.length == 0 ? "" : description[0];
    }

    private static @org.jspecify.annotations.Nullable OptionSpec option(
            CommandSpec spec, String word) {
        return word.startsWith("-") ? spec.findOption(word) : null;
    }

    private static int positions(CommandSpec spec, List<String> given) {
        int count = 0;
        for (int i = 0; i < given.size(); i++) {
            OptionSpec option = option(spec, given.get(i));
            if (option != null) {
                i += option.arity().max() > 0 ? 1 : 0;
            } else if (!given.get(i).startsWith("-")) {
                count++;
            }
        }
        return count;
    }

    private void values(ArgSpec argument, List<Named> found) {
        if (argument.completionCandidates() != null) {
            argument.completionCandidates()
                    .forEach(value -> found.add(new Named(value.toLowerCase(Locale.ROOT), null)));
            return;
        }
        String label = argument.paramLabel();
        // "auto|docker|sim" names its values itself.
        if (label.matches("[a-z0-9-]+(\\|[a-z0-9-]+)+")) {
            for (String value : label.split("\\|", -1)) {
                found.add(new Named(value, null));
            }
            return;
        }
        if (label.matches("[a-z]+|EIO")) {
            // One word that may stand there, "log" say.
            found.add(new Named(label, null));
            return;
        }
        for (String word : label.split("[^A-Z-]+", -1)) {
            Supplier<List<String>> names = byLabel.get(word);
            if (names != null) {
                names.get().forEach(name -> found.add(new Named(name, null)));
            }
        }
    }
}
