package raft.harness.report;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What one node was and said in the course of a run. Times are microseconds since the run began.
 *
 * @param id its name
 * @param roles each holds until the next
 * @param logs lines of its log that could be placed in time
 * @param clock how far its clock was off
 */
record NodeLane(String id, List<Role> roles, List<LogLine> logs, List<Offset> clock) {
    /**
     * @param role "leader", "follower", …, or "down" where it did not answer
     */
    record Role(long micros, String role, long term) {}

    /**
     * @param level 0 for information, 1 for a warning, 2 for an error
     */
    record LogLine(long micros, int level, String text) {}

    record Offset(long micros, double millis) {}

    private static final int LOG_LINES_MAX = 3000;
    private static final int TEXT_MAX = 400;
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Pattern LOG =
            Pattern.compile("^(\\d{4}-\\d\\d-\\d\\dT[0-9:.]+Z)\\s+(\\w+)\\s+(.*)$");

    /** The nodes of a run's folder, sorted by name; what cannot be read is told and left out. */
    static List<NodeLane> read(Path runFolder, Consumer<String> problems) {
        List<NodeLane> lanes = new ArrayList<>();
        Path nodes = runFolder.resolve("nodes");
        if (!Files.isDirectory(nodes)) {
            return lanes;
        }
        try (Stream<Path> folders = Files.list(nodes)) {
            for (Path folder :
                    folders.filter(Files::isDirectory)
                            .sorted(Comparator.comparing(Path::getFileName))
                            .toList()) {
                lanes.add(new Reading(folder, problems).lane());
            }
        } catch (IOException e) {
            problems.accept("the nodes' folders cannot be read: " + e.getMessage());
        }
        return lanes;
    }

    /** One node's files, read once. */
    private static final class Reading {
        private final Path folder;
        private final Consumer<String> problems;
        private final TreeMap<Long, Role> roles = new TreeMap<>();
        private final List<JsonNode> transitions = new ArrayList<>();
        // The run's begin in the time that logs bear, known where samples bear both times.
        private final List<Long> beginUtcMicros = new ArrayList<>();

        Reading(Path folder, Consumer<String> problems) {
            this.folder = folder;
            this.problems = problems;
        }

        NodeLane lane() {
            lines("status.jsonl", this::status);
            beginUtcMicros.sort(Comparator.naturalOrder());
            lines("trace.jsonl", transitions::add);
            transitions.forEach(this::transition);
            List<Offset> clock = new ArrayList<>();
            lines(
                    "clock.jsonl",
                    line ->
                            clock.add(
                                    new Offset(
                                            line.path("time").asLong(0) / 1000,
                                            line.path("offsetMillis").asDouble(0))));
            return new NodeLane(folder.getFileName().toString(), withoutRepeats(), logs(), clock);
        }

        private void lines(String name, Consumer<JsonNode> each) {
            Path file = folder.resolve(name);
            if (!Files.exists(file)) {
                return;
            }
            int[] bad = {0};
            try (BufferedReader in = open(file)) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    try {
                        if (!line.isBlank()) {
                            each.accept(JSON.readTree(line));
                        }
                    } catch (JacksonException e) {
                        bad[0]++;
                    }
                }
            } catch (IOException e) {
                problems.accept(file + " cannot be read: " + e.getMessage());
            }
            if (bad[0] > 0) {
                problems.accept(
                        String.format(
                                Locale.ROOT,
                                "%d lines of nodes/%s/%s cannot be read and are left out",
                                bad[0],
                                folder.getFileName(),
                                name));
            }
        }

        private static BufferedReader open(Path file) throws IOException {
            // A log may hold anything; what is no UTF-8 becomes a replacement character.
            return new BufferedReader(
                    new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8));
        }

        private void status(JsonNode line) {
            long micros = line.path("time").asLong(0) / 1000;
            if (line.path("utc").isNumber()) {
                beginUtcMicros.add(line.path("utc").asLong() * 1000 - micros);
            }
            JsonNode status = line.path("status");
            if (!status.isObject()) {
                roles.put(micros, new Role(micros, "down", 0));
                return;
            }
            roles.put(
                    micros,
                    new Role(
                            micros,
                            status.path("role").asString(""),
                            status.path("term").asLong(0)));
            status.path("transitions").forEach(transitions::add);
        }

        /** A change of role at its own time, which samples only see later. */
        private void transition(JsonNode change) {
            String role = change.path("to").asString(change.path("role").asString(""));
            if (role.isEmpty() || beginUtcMicros.isEmpty() || !change.path("term").isNumber()) {
                return;
            }
            long utcMicros;
            if (change.path("utc").isNumber()) {
                utcMicros = change.path("utc").asLong() * 1000;
            } else {
                try {
                    utcMicros = micros(Instant.parse(change.path("time").asString("")));
                } catch (DateTimeParseException e) {
                    return;
                }
            }
            long micros = utcMicros - begin();
            roles.put(micros, new Role(micros, role, change.path("term").asLong(0)));
        }

        private long begin() {
            return beginUtcMicros.get(beginUtcMicros.size() / 2);
        }

        private static long micros(Instant instant) {
            return instant.getEpochSecond() * 1_000_000 + instant.getNano() / 1000;
        }

        private List<Role> withoutRepeats() {
            List<Role> kept = new ArrayList<>();
            for (Role role : roles.values()) {
                Role last = kept.isEmpty() ? null : kept.getLast();
                if (last == null || !last.role.equals(role.role) || last.term != role.term) {
                    kept.add(role);
                }
            }
            return kept;
        }

        private List<LogLine> logs() {
            List<LogLine> lines = new ArrayList<>();
            Path file = folder.resolve("node.log");
            if (beginUtcMicros.isEmpty() || !Files.exists(file)) {
                return lines;
            }
            long left = 0;
            long micros = Long.MIN_VALUE;
            int level = 0;
            try (BufferedReader in = open(file)) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    Matcher matcher = LOG.matcher(line);
                    String text = line;
                    if (matcher.matches()) {
                        micros = micros(Instant.parse(matcher.group(1))) - begin();
                        level = level(matcher.group(2));
                        text = matcher.group(3);
                        String own = folder.getFileName() + " ";
                        text = text.startsWith(own) ? text.substring(own.length()) : text;
                    }
                    if (micros == Long.MIN_VALUE) {
                        continue;
                    }
                    if (lines.size() < LOG_LINES_MAX || level > 0) {
                        lines.add(new LogLine(micros, level, cut(text)));
                    } else {
                        left++;
                    }
                }
            } catch (IOException | DateTimeParseException e) {
                problems.accept(file + " cannot be read: " + e.getMessage());
            }
            if (left > 0) {
                problems.accept(
                        left + " lines of " + folder.getFileName() + "'s log are not on this page");
            }
            return lines;
        }

        private static int level(String word) {
            return switch (word.toUpperCase(Locale.ROOT)) {
                case "WARN", "WARNING" -> 1;
                case "ERROR", "FATAL", "SEVERE" -> 2;
                default -> 0;
            };
        }

        private static String cut(String text) {
            return text.length() <= TEXT_MAX ? text : text.substring(0, TEXT_MAX) + "…";
        }
    }
}
