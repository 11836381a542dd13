package raft.harness.report;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** The little that our pages need: text made safe, and the parts that every page has. */
public final class Html {
    private Html() {}

    /** Text as content or as a quoted attribute; nothing in it can become markup. */
    public static String text(String text) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '&' -> out.append("&amp;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> out.append(c < ' ' && c != '\n' && c != '\t' ? '\ufffd' : c);
            }
        }
        return out.toString();
    }

    /** A verdict as its coloured, marked word. */
    public static String verdict(String verdict, boolean small) {
        String words =
                switch (verdict) {
                    case "valid" -> "Valid";
                    case "violation" -> "Violation";
                    case "unknown" -> "Unknown";
                    case "insufficient-evidence" -> "Not enough evidence";
                    case "error" -> "Error";
                    case RunSummary.UNFINISHED -> "Unfinished";
                    case RunSummary.UNREADABLE -> "Unreadable";
                    default -> verdict;
                };
        return "<span class=\"verdict "
                + text(verdict)
                + (small ? " s" : "")
                + "\">"
                + text(words)
                + "</span>";
    }

    /** A file that lies beside this class. */
    static String resource(String name) {
        try (InputStream in = Html.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the part " + name + " of the pages is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("the part " + name + " of the pages: " + e, e);
        }
    }

    /** Fills {@code {{NAME}}} places; what is filled in is not searched for places again. */
    static String fill(String template, java.util.Map<String, String> parts) {
        StringBuilder out = new StringBuilder();
        int at = 0;
        while (true) {
            int open = template.indexOf("{{", at);
            int close = open < 0 ? -1 : template.indexOf("}}", open);
            if (close < 0) {
                return out.append(template, at, template.length()).toString();
            }
            String part = parts.get(template.substring(open + 2, close));
            if (part == null) {
                throw new IllegalStateException(
                        "nothing for " + template.substring(open, close + 2));
            }
            out.append(template, at, open).append(part);
            at = close + 2;
        }
    }
}
