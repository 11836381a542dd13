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
    /** A key, a value or the frame exceeds the limits. */
    TOO_LARGE(4),
    /** An operation or a flag that this server does not have. */
    UNSUPPORTED(5),
    /** The node is going down and takes nothing new. */
    STOPPING(6);

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
