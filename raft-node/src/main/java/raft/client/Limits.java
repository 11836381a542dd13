package raft.client;

/** Sizes of the client protocol, in bytes. Part of version 1: both sides may rely on them. */
public final class Limits {
    /** A key has 1 to this many bytes. */
    public static final int KEY_BYTES_MAX = 1024;

    /** A value has 0 to this many bytes. */
    public static final int VALUE_BYTES_MAX = 1 << 20;

    /**
     * A frame's length field never exceeds this: a cas carries two values and a key, and a value
     * that is somewhat too large still arrives and gets a refusal of its own instead of a closed
     * connection.
     */
    public static final int FRAME_BYTES_MAX = 2 * VALUE_BYTES_MAX + 4096;

    /** The first frame of either side is smaller: nobody is trusted with memory before it. */
    public static final int HELLO_BYTES_MAX = 1024;

    /**
     * What a list, a set or a queue may hold, 4 bytes for each element included: all of it fits
     * into one reply.
     */
    public static final int COLLECTION_BYTES_MAX = VALUE_BYTES_MAX;

    /** Most keys in one listing. */
    public static final int LIST_KEYS_MAX = 1000;

    /** Most answers that a session keeps: the client must not be further ahead than this. */
    public static final int SESSION_ANSWERS_MAX = 1024;

    /** A node's id has 1 to this many letters, digits, dots, underscores and hyphens. */
    public static final int NODE_ID_CHARACTERS_MAX = 64;

    /** Node ids, cluster ids and leader hints, in UTF-8. */
    public static final int ID_BYTES_MAX = 255;

    /** Reasons and messages in UTF-8; a longer one is cut by its sender. */
    public static final int MESSAGE_BYTES_MAX = 512;

    private Limits() {}
}
