package raft.harness.checker;

/** What came of feeding a search with an event. */
enum Step {
    GOES_ON,
    /** No configuration explains it. */
    STUCK,
    /** The budget ended. */
    SPENT
}
