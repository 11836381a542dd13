package raft.harness.nemesis;

import java.util.Locale;

/**
 * On what a planned fault begins. Its start in the plan is the earliest time; a trigger can make it
 * later.
 */
public sealed interface Trigger {
    Trigger TIME = new Time();

    /** At its time. */
    record Time() implements Trigger {
        @Override
        public String toString() {
            return "time";
        }
    }

    /** When, from its time on, a leader of a newer term is seen. */
    record LeaderElected() implements Trigger {
        @Override
        public String toString() {
            return "leader-elected";
        }
    }

    /**
     * When, from its time on, some node knows this index of the log to be committed.
     *
     * @param index at least 1
     */
    record LogIndex(long index) implements Trigger {
        public LogIndex {
            if (index < 1) {
                throw new IllegalArgumentException("a log index is at least 1, got " + index);
            }
        }

        @Override
        public String toString() {
            return "log-index " + index;
        }
    }

    /**
     * Reads what {@code toString} writes: {@code time}, {@code leader-elected}, {@code log-index
     * N}.
     *
     * @throws IllegalArgumentException naming the three
     */
    static Trigger parse(String text) {
        String[] words = text.strip().toLowerCase(Locale.ROOT).split("\\s+", -1);
        try {
            if (words.length == 2 && words[0].equals("log-index")) {
                return new LogIndex(Long.parseLong(words[1]));
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + words[1] + "' is not a log index", e);
        }
        if (words.length == 1 && words[0].equals("time")) {
            return TIME;
        }
        if (words.length == 1 && words[0].equals("leader-elected")) {
            return new LeaderElected();
        }
        throw new IllegalArgumentException(
                "no trigger is written '"
                        + text
                        + "'; there are time, leader-elected and log-index N");
    }
}
