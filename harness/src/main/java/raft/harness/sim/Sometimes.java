package raft.harness.sim;

/**
 * Situations that must come up now and then, or the runs prove little: each is a place where some
 * bug would show. Never an error when one run lacks it; a night of runs must reach them all.
 */
public enum Sometimes {
    ELECTION_WITHOUT_WINNER("a candidate's election ended without a winner"),
    VOTE_REFUSED_TO_STALE_LOG("a candidate with a stale log was refused"),
    VOTE_REPLY_OF_EARLIER_TERM("a candidate received a vote of an earlier term"),
    TWO_LEADERS("two nodes led at once, in different terms"),
    LEADER_STEPPED_DOWN_ALONE("a leader without a quorum stepped down by itself"),
    LEADER_DEPOSED_WHILE_CLIENTS_WAIT("a leader was deposed while clients waited for it"),
    ACCEPTED_OF_EARLIER_TERM("a leader received an acknowledgement of an earlier term"),
    REJECTED_OF_EARLIER_TERM("a leader received a rejection of an earlier term"),
    HEARTBEAT_REPLY_OF_EARLIER_TERM("a leader received a heartbeat's answer of an earlier term"),
    APPEND_OF_EARLIER_TERM("a node received entries of a leader of an earlier term"),
    APPEND_OVERTAKEN("entries arrived after later ones of the same leader"),
    SUFFIX_TRUNCATED("a node cut off entries that another leader never had"),
    LONG_SUFFIX_TRUNCATED("a node cut off ten entries or more at once"),
    EARLIER_TERM_COMMITTED("an entry of an earlier term was committed by a later one (Figure 8)"),
    ENTRIES_IN_FLIGHT_AT_ONCE("several messages with entries were in flight to one follower"),
    FSYNC_OUTLIVED_TERM("an fsync ended after the term in which it began"),
    COMMIT_BEFORE_OWN_FSYNC("a leader committed before its own disk had the entry"),
    READ_BEFORE_OWN_COMMIT("a new leader was asked to read before its first commit"),
    POWER_LOST_UNSYNCED("a loss of power took writes that were not synced"),
    WRITE_TORN("a loss of power left part of a write"),
    ROT_REFUSED("a node refused to start on a damaged disk"),
    ALL_DOWN("all nodes were down at once"),
    MESSAGE_FOR_A_LATER_LIFE("a message reached a later life of the process it was sent to"),
    CLOCKS_APART("two nodes' clocks ran at rates a percent apart");

    private final String words;

    Sometimes(String words) {
        this.words = words;
    }

    /** The situation as a statement. */
    public String words() {
        return words;
    }
}
