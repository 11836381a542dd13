package raft.client;

/** Why a request was certainly not carried out. Codes are on the wire: never reuse one. */
public enum Refusal {
    /** A reason that this version does not know. A client treats it as any refusal: not applied. */
    OTHER(0),
    /** Only a leader can do this; the reply may name it. */
    NOT_LEADER(1),
    /** Too much is waiting; try again later. */
    BUSY(2),
    /** The request contradicts the protocol. */
    INVALID(3),
    /** A key, a value, the frame, or what a key would hold after it exceeds the limits. */
    TOO_LARGE(4),
    /** An operation or a flag that this server does not have. */
    UNSUPPORTED(5),
    /** The node is going down and takes nothing new. */
    STOPPING(6),
    /** The key holds a thing of another kind: a list where a counter is needed, say. */
    WRONG_TYPE(7),
    /** There is no such session, or not any more. */
    SESSION_EXPIRED(8),
    /** This node could not make sure in time that a majority still follows it. */
    NO_QUORUM(9),
    /** Another change of the membership, or a transfer, is not finished yet. */
    CHANGE_IN_PROGRESS(10),
    /** The cluster has no such member. */
    NO_SUCH_MEMBER(11),
    /** The cluster is not in a state in which that could be done; the message says why. */
    NOT_POSSIBLE_NOW(12);

    private final int code;

    Refusal(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /** {@link #OTHER} for a code that no reason has: what counts is that it was refused. */
    public static Refusal ofCode(int code) {
        for (Refusal refusal : values()) {
            if (refusal.code == code) {
                return refusal;
            }
        }
        return OTHER;
    }
}
