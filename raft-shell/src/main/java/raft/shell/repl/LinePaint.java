package raft.shell.repl;

import org.jline.reader.Highlighter;
import org.jline.reader.LineReader;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;

import picocli.CommandLine;

import java.util.List;
import java.util.function.Supplier;

/** Colours the line while it is typed: known commands, options, nodes, quoted texts. */
final class LinePaint implements Highlighter {
    private final CommandLine tree;
    private final Supplier<List<String>> nodes;

    LinePaint(CommandLine tree, Supplier<List<String>> nodes) {
        this.tree = tree;
        this.nodes = nodes;
    }

    @Override
    public AttributedString highlight(LineReader reader, String line) {
        AttributedStringBuilder painted = new AttributedStringBuilder();
        int at = 0;
        CommandLine command = tree;
        boolean first = true;
        for (LineWords.Word word : LineWords.words(line, false)) {
            painted.append(line, at, word.from());
            AttributedStyle style = AttributedStyle.DEFAULT;
            CommandLine sub = command == null ? null : command.getSubcommands().get(word.text());
            if (word.text().equals(";") && !word.quoted()) {
                command = tree;
                first = true;
            } else if (sub != null) {
                style = style.bold().foreground(AttributedStyle.GREEN);
                command = sub;
                first = false;
            } else if (first) {
                boolean own = List.of("exit", "quit", "try").contains(word.text());
                style =
                        own
                                ? style.bold().foreground(AttributedStyle.GREEN)
                                : isBegun(word.text())
                                        ? style.bold()
                                        : style.foreground(AttributedStyle.RED);
                first = word.text().equals("try");
            } else if (word.quoted()) {
                style = style.foreground(AttributedStyle.YELLOW);
            } else if (word.text().startsWith("-")) {
                style = style.foreground(AttributedStyle.CYAN);
            } else if (nodes.get().contains(word.text())) {
                style = style.foreground(AttributedStyle.MAGENTA);
            }
            painted.styled(style, line.substring(word.from(), word.to()));
            at = word.to();
        }
        painted.append(line, at, line.length());
        return painted.toAttributedString();
    }

    private boolean isBegun(String word) {
        return tree.getSubcommands().keySet().stream().anyMatch(name -> name.startsWith(word));
    }
}
