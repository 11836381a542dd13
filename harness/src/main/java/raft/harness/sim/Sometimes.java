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
    CLOCKS_APART("two nodes' clocks ran at rates a percent apart"),
    SNAPSHOT_INSTALLED("a node went on from a snapshot that its leader sent"),
    SNAPSHOT_AGAINST_LOG("a snapshot came to a node whose log contradicts it"),
    SNAPSHOT_TRANSFER_BROKEN_OFF("a leader was deposed while it sent a snapshot"),
    RECOVERED_FROM_SNAPSHOT("a node came up from a snapshot and the log behind it"),
    SESSION_CAME_WITH_SNAPSHOT("sessions came to a node with a snapshot"),
    VOTER_ADDED("a voter was added"),
    VOTER_REMOVED("a voter was removed"),
    LEADER_REMOVED("the leader was removed"),
    NODE_REPLACED("a node was removed, lost all that it had, and joined again"),
    CONFIGURATION_CUT_OFF("a change of the membership was cut off with the log"),
    READ_BY_LEASE("a read was served by a lease alone"),
    READ_BY_FOLLOWER("a follower served a read"),
    LEASE_OUTLIVED_CONTACT("a lease held although half an election timeout had passed unheard"),
    WRITE_REPEATED_IN_SESSION("a write was repeated in its session"),
    REQUEST_LATE("a request came when its client no longer waited for it"),
    SNAPSHOT_OVERTAKEN("the log brought what a snapshot stood for while that was written down"),
    SNAPSHOT_TAKEN_AND_RECEIVED("a node took a snapshot of the index of one that it was sent"),
    SEGMENT_REPLACED("a segment of the log took the place of one that was still empty"),
    READ_TAKEN_BEFORE_OLDER_NEWS("a waking leader took a read before older news of a later term"),
    TAKEOVER_ASKED_LATE("a node was asked to take over after its leader had given that up"),
    LEADERSHIP_HANDED_OVER("leadership was handed over");

    private final String words;

    Sometimes(String words) {
        this.words = words;
    }

    /** The situation as a statement. */
    public String words() {
        return words;
    }
}
