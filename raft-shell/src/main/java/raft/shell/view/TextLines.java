package raft.shell.view;

import java.util.ArrayList;
import java.util.List;

/** Text in lines that fit a terminal. */
public final class TextLines {
    private static final int NARROWEST = 20;

    private TextLines() {}

    /**
     * Breaks a text between words; where a word alone is too long, inside it.
     *
     * @param indent before each line; further lines get two more spaces
     * @param width of the whole line, at least 20
     */
    public static List<String> wrap(String indent, String text, int width) {
        int most = Math.max(NARROWEST, width);
        List<String> lines = new ArrayList<>();
        String before = indent;
        String rest = text.strip();
        while (before.length() + rest.length() > most) {
            int room = most - before.length();
            int at = rest.lastIndexOf(' ', room);
            if (at <= 0) {
                // A list without spaces may still be broken behind a comma.
                at = rest.lastIndexOf(',', room - 1) + 1;
            }
            if (at <= 0) {
                at = room;
            }
            lines.add(before + rest.substring(0, at).stripTrailing());
            rest = rest.substring(at).strip();
            before = indent + "  ";
        }
        if (!rest.isEmpty() || lines.isEmpty()) {
            lines.add(before + rest);
        }
        return lines;
    }

    /** Cuts what does not fit, with an ellipsis. */
    public static String fit(String line, int width) {
        int most = Math.max(NARROWEST, width);
        return line.length() <= most ? line : line.substring(0, most - 1) + "…";
    }
}
