package raft.shell;

/** For whom an answer is written: tables for people, one JSON object for programs. */
public enum OutputForm {
    TEXT,
    JSON
}
