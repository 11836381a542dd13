package raft.harness.workload;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What can be chosen of a workload, in the text form {@code NAME=VALUE,…} behind its name.
 *
 * @param keys in use at a time, 1 to 1000
 * @param operationsPerKey after which a key is replaced, 1 to 100,000
 * @param readPercent of the processes that do not only read, 0 to 100
 * @param hotPercent of the operations that go to one of the keys in use, 0 to 100
 * @param burstMillis 0 for a steady load; else clients work that long at twice the rate, and rest
 *     as long
 * @param sessions whether retries are made in sessions
 */
public record WorkloadOptions(
        int keys,
        int operationsPerKey,
        int readPercent,
        int hotPercent,
        int burstMillis,
        boolean sessions) {

    /**
     * These, with what {@code words} change.
     *
     * @param words {@code keys=2,hot=80}
     * @throws IllegalArgumentException with one clause that says what is wrong
     */
    WorkloadOptions with(String words) {
        Map<String, String> given = new TreeMap<>();
        for (String word : words.split(",", -1)) {
            int equals = word.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException(
                        "a workload's option is NAME=VALUE, not '" + word + "'");
            }
            given.put(
                    word.substring(0, equals).strip(),
                    word.substring(equals + 1).strip().toLowerCase(Locale.ROOT));
        }
        WorkloadOptions chosen =
                new WorkloadOptions(
                        number(given, "keys", keys, 1, 1000),
                        number(given, "per-key", operationsPerKey, 1, 100_000),
                        number(given, "reads", readPercent, 0, 100),
                        number(given, "hot", hotPercent, 0, 100),
                        number(given, "burst", burstMillis, 0, 3_600_000),
                        onOff(given, "sessions", sessions));
        if (!given.isEmpty()) {
            throw new IllegalArgumentException(
                    "a workload has no option '"
                            + given.keySet().iterator().next()
                            + "'; there are keys, per-key, reads, hot, burst, sessions");
        }
        return chosen;
    }

    private static int number(Map<String, String> given, String name, int usual, int min, int max) {
        String word = given.remove(name);
        if (word == null) {
            return usual;
        }
        try {
            int number = Integer.parseInt(word);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Said below, as for a number that is out of range.
        }
        throw new IllegalArgumentException(
                "the workload's option "
                        + name
                        + " is a number from "
                        + min
                        + " to "
                        + max
                        + ", not '"
                        + word
                        + "'");
    }

    private static boolean onOff(Map<String, String> given, String name, boolean usual) {
        String word = given.remove(name);
        return switch (word) {
            case null -> usual;
            case "on" -> true;
            case "off" -> false;
            default ->
                    throw new IllegalArgumentException(
                            "the workload's option " + name + " is on or off, not '" + word + "'");
        };
    }
}
