package raft.node;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.ZoneOffset;

/**
 * One line per event: UTC time, level, node, text. Nothing is buffered, so a killed process leaves
 * its last words.
 */
public final class Log {
    private final OutputStream out;
    private final NodeClock clock;
    private final String node;

    public Log(OutputStream out, NodeClock clock, String node) {
        this.out = out;
        this.clock = clock;
        this.node = node;
    }

    public void info(String text) {
        line("INFO ", oneLine(text));
    }

    public void warn(String text) {
        line("WARN ", oneLine(text));
    }

    public void error(String text) {
        line("ERROR", oneLine(text));
    }

    /** With the stack trace on the lines below. */
    public void error(String text, Throwable cause) {
        StringWriter trace = new StringWriter();
        cause.printStackTrace(new PrintWriter(trace));
        line("ERROR", text + "\n" + trace.toString().stripTrailing());
    }

    /** What others sent may be in a text and must not pass for lines of ours. */
    private static String oneLine(String text) {
        return text.replace('\n', ' ').replace('\r', ' ');
    }

    private synchronized void line(String level, String text) {
        String line = utc(clock.utcMillis()) + " " + level + " " + node + " " + text + "\n";
        try {
            out.write(line.getBytes(StandardCharsets.UTF_8));
            out.flush();
        } catch (IOException e) {
            // Nobody is left to tell; the node's work does not depend on it.
        }
    }

    /** ISO 8601 with milliseconds, by hand: the JDK's formatter costs start-up time and memory. */
    static String utc(long millis) {
        LocalDateTime t =
                LocalDateTime.ofEpochSecond(
                        Math.floorDiv(millis, 1000L),
                        Math.floorMod(millis, 1000) * 1_000_000,
                        ZoneOffset.UTC);
        StringBuilder s = new StringBuilder(24);
        s.append(t.getYear());
        two(s.append('-'), t.getMonthValue());
        two(s.append('-'), t.getDayOfMonth());
        two(s.append('T'), t.getHour());
        two(s.append(':'), t.getMinute());
        two(s.append(':'), t.getSecond());
        int milli = t.getNano() / 1_000_000;
        s.append('.').append(milli / 100);
        two(s, milli % 100);
        return s.append('Z').toString();
    }

    private static void two(StringBuilder s, int number) {
        s.append((char) ('0' + number / 10)).append((char) ('0' + number % 10));
    }
}
