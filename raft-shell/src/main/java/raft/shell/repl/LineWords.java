package raft.shell.repl;

import raft.shell.live.UsageException;

import java.util.ArrayList;
import java.util.List;

/**
 * A line as words. Words are parted by blanks; '…' and "…" keep blanks together, a backslash takes
 * the next character as it is; ; parts commands; # after a blank and before one begins a comment.
 */
public final class LineWords {
    /** One word and where it stands in the line. */
    public record Word(String text, int from, int to, boolean quoted) {}

    private LineWords() {}

    /** The commands of a line, each as its words; empty ones are left out. */
    public static List<List<String>> commands(String line) {
        List<List<String>> commands = new ArrayList<>();
        List<String> command = new ArrayList<>();
        for (Word word : words(line, true)) {
            if (word.text().equals(";") && !word.quoted()) {
                if (!command.isEmpty()) {
                    commands.add(command);
                }
                command = new ArrayList<>();
            } else {
                command.add(word.text());
            }
        }
        if (!command.isEmpty()) {
            commands.add(command);
        }
        return commands;
    }

    /**
     * All words, ";" among them.
     *
     * @param strict refuses a quote that is not closed; else it reaches to the end
     */
    public static List<Word> words(String line, boolean strict) {
        List<Word> words = new ArrayList<>();
        int at = 0;
        while (at < line.length()) {
            char c = line.charAt(at);
            if (Character.isWhitespace(c)) {
                at++;
            } else if (c == ';') {
                words.add(new Word(";", at, at + 1, false));
                at++;
            } else if (c == '#'
                    && (at + 1 == line.length() || Character.isWhitespace(line.charAt(at + 1)))) {
                break;
            } else {
                at = word(line, at, strict, words);
            }
        }
        return words;
    }

    private static int word(String line, int from, boolean strict, List<Word> words) {
        StringBuilder text = new StringBuilder();
        boolean quoted = false;
        char quote = 0;
        int at = from;
        for (; at < line.length(); at++) {
            char c = line.charAt(at);
            if (quote != 0) {
                if (c == quote) {
                    quote = 0;
                } else if (c == '\\' && quote == '"' && at + 1 < line.length()) {
                    text.append(line.charAt(++at));
                } else {
                    text.append(c);
                }
            } else if (c == '"' || c == '\'') {
                quote = c;
                quoted = true;
            } else if (c == '\\' && at + 1 < line.length()) {
                text.append(line.charAt(++at));
            } else if (Character.isWhitespace(c) || c == ';') {
                break;
            } else {
                text.append(c);
            }
        }
        if (quote != 0 && strict) {
            throw new UsageException("the quote " + quote + " is not closed");
        }
        words.add(new Word(text.toString(), from, at, quoted));
        return at;
    }

    /** Whether a line ends inside quotes, so that more must follow. */
    public static boolean isOpen(String line) {
        try {
            List<Word> all = words(line, true);
            return all.isEmpty() && !line.isBlank() && !line.strip().startsWith("#");
        } catch (UsageException e) {
            return true;
        }
    }
}
