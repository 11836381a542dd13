package raft.shell.view;

/** Colours for what is written, or none. A role has the same colour everywhere. */
public final class Paint {
    public static final Paint PLAIN = new Paint(false);
    public static final Paint COLOUR = new Paint(true);

    private final boolean on;

    private Paint(boolean on) {
        this.on = on;
    }

    public static Paint of(boolean colour) {
        return colour ? COLOUR : PLAIN;
    }

    /** Leader green, candidates yellow, what does not answer red. */
    public String role(String role, String text) {
        return switch (role) {
            case "leader" -> sgr("1;32", text);
            case "candidate", "pre-candidate" -> sgr("33", text);
            case "follower" -> sgr("36", text);
            default -> sgr("31", text);
        };
    }

    public String good(String text) {
        return sgr("32", text);
    }

    public String bad(String text) {
        return sgr("1;31", text);
    }

    public String unsure(String text) {
        return sgr("33", text);
    }

    public String strong(String text) {
        return sgr("1", text);
    }

    public String dim(String text) {
        return sgr("2", text);
    }

    /** An event's line: what it tells of decides its colour. */
    public String event(String line) {
        if (line.contains("became leader")) {
            return role("leader", line);
        }
        if (line.contains("asks for votes") || line.contains("asks whether")) {
            return role("candidate", line);
        }
        if (line.startsWith("they disagree")) {
            return unsure(line);
        }
        if (line.contains("does not answer")
                || line.contains("INVARIANT")
                || line.endsWith(" is down")) {
            return bad(line);
        }
        return dim(line);
    }

    private String sgr(String code, String text) {
        return on ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
    }
}
