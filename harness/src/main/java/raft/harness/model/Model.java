package raft.harness.model;

/** A sequential specification. */
public interface Model {
    /** Its name on the command line and in headers, "cas-register" say. */
    String name();
}
