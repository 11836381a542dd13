package raft.harness.cluster;

import raft.harness.history.HistoryEvent;

import java.util.Set;

/**
 * The one table that decides what an ended operation is in a history: {@code ok}, {@code fail} or
 * {@code info}. Every kind of cluster asks it; nothing else may decide.
 *
 * <p>The two mistakes it exists to prevent: {@code fail} for something that may yet take effect
 * makes the checker accuse a right system; {@code info} for something that certainly did not happen
 * makes it blind, because such an operation may be placed anywhere.
 */
public final class Outcomes {
    /** How an operation can end, as the client saw it. */
    public enum Ending {
        /** The system said that it was carried out. */
        DONE(Certainty.HAPPENED, ""),
        /** A compare-and-set found another value than the expected one and changed nothing. */
        COMPARE_FAILED(Certainty.DID_NOT_HAPPEN, "compare-failed"),
        /** The system said that it was not and will not be carried out. */
        REFUSED(Certainty.DID_NOT_HAPPEN, "refused"),
        /** The system said that it cannot tell. */
        UNKNOWN(Certainty.UNCERTAIN, "unknown"),
        /** No connection, or no handshake: the request never left. */
        NOT_CONNECTED(Certainty.DID_NOT_HAPPEN, "not-connected"),
        /** Time was up before the first byte of the request left. */
        TIMED_OUT_UNSENT(Certainty.DID_NOT_HAPPEN, "timeout-before-sending"),
        /** Time was up after the request, or some of it, had been sent. */
        TIMED_OUT(Certainty.UNCERTAIN, "timeout"),
        /** The connection broke after the request, or some of it, had been sent. */
        CONNECTION_LOST(Certainty.UNCERTAIN, "connection-lost"),
        /** There was a reply, but it contradicts the protocol, so nothing in it can be believed. */
        UNINTELLIGIBLE(Certainty.UNCERTAIN, "unintelligible-reply"),
        /** The client was closed before the request left. */
        CLOSED_UNSENT(Certainty.DID_NOT_HAPPEN, "closed-before-sending"),
        /** The client was closed while it waited for the reply. */
        CLOSED(Certainty.UNCERTAIN, "closed"),
        /** The client has no request for such an operation. */
        NOT_SUPPORTED(Certainty.DID_NOT_HAPPEN, "not-supported");

        private final Certainty certainty;
        private final String word;

        Ending(Certainty certainty, String word) {
            this.certainty = certainty;
            this.word = word;
        }

        /**
         * What the history says as its error: one fixed word that can be counted, then what is
         * known beside it.
         *
         * @param detail "" where there is none
         */
        public String error(String detail) {
            return detail.isEmpty() ? word : word + ": " + detail;
        }
    }

    private enum Certainty {
        HAPPENED,
        DID_NOT_HAPPEN,
        UNCERTAIN
    }

    /** Operations that change nothing. Whatever is not named here is taken for a change. */
    private static final Set<String> READS = Set.of("read", "lease-read", "stale-read", "keys");

    private Outcomes() {}

    /**
     * OK, FAIL or INFO.
     *
     * @param f the operation, "read", "write", "cas", …
     */
    public static HistoryEvent.Type type(String f, Ending ending) {
        return switch (ending.certainty) {
            case HAPPENED -> HistoryEvent.Type.OK;
            case DID_NOT_HAPPEN -> HistoryEvent.Type.FAIL;
            // A read whose answer nobody saw says nothing, whether or not it was carried out.
            case UNCERTAIN -> READS.contains(f) ? HistoryEvent.Type.FAIL : HistoryEvent.Type.INFO;
        };
    }
}
