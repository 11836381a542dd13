package raft.core;

/**
 * One entry of the replicated log (§5.3).
 *
 * @param index position in the log, ≥ 1
 * @param term the term of the leader that created it, ≥ 1
 * @param kind what the payload is
 * @param payload the command or configuration; empty for a no-op
 */
public record Entry(long index, long term, Kind kind, Bytes payload) {
    /** Fixed cost of an entry beside its payload, as counted against byte limits. */
    public static final int OVERHEAD_BYTES = 32;

    /** What an entry carries. Codes are part of the disk and wire formats: never reuse one. */
    public enum Kind {
        /** A new leader's first entry (§8): lets it commit what earlier terms left. */
        NOOP(0),
        /** A command of the state machine. */
        COMMAND(1),
        /** A {@link Configuration}; in force as soon as it is in the log (thesis §4.1). */
        CONFIGURATION(2),
        /**
         * A {@link Configuration} that an operator put into a stopped node's log after a quorum was
         * lost ({@link LostQuorum}): it takes the place of whatever was there before, majorities of
         * which are not asked any more.
         */
        RECOVERY(3);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        public int code() {
            return code;
        }

        /** Whether the payload says who the members are. */
        public boolean isConfiguration() {
            return this == CONFIGURATION || this == RECOVERY;
        }

        /**
         * @throws IllegalArgumentException for a code that no kind has
         */
        public static Kind ofCode(int code) {
            return switch (code) {
                case 0 -> NOOP;
                case 1 -> COMMAND;
                case 2 -> CONFIGURATION;
                case 3 -> RECOVERY;
                default -> throw new IllegalArgumentException("no entry kind has code " + code);
            };
        }
    }

    public Entry {
        if (index < 1 || term < 1) {
            throw new IllegalArgumentException(
                    "index and term start at 1, got index " + index + ", term " + term);
        }
    }

    public int sizeBytes() {
        return OVERHEAD_BYTES + payload.sizeBytes();
    }
}
