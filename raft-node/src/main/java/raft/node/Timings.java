package raft.node;

import java.util.List;

/**
 * Where the time of requests goes on this node, in nanoseconds, and how large batches are. A write
 * passes queue → (append → fsync, in parallel with the others' → quorum) = commit → apply → reply;
 * what the own disk takes of it is told by durable and fsync.
 */
final class Timings {
    /** From the socket to the turn of the event loop that takes it. */
    final Histogram queue = new Histogram();

    /** From that turn until the entry is handed to the disk and to the links: the algorithm. */
    final Histogram append = new Histogram();

    /** From there to the commit: a majority has it on its disks. */
    final Histogram quorum = new Histogram();

    /** From the turn to the commit: append and quorum. */
    final Histogram commit = new Histogram();

    /** From the commit to the answer: the state machine. */
    final Histogram apply = new Histogram();

    /** From the answer to its last byte in the socket. */
    final Histogram reply = new Histogram();

    /** From the socket to the answer, of reads. */
    final Histogram read = new Histogram();

    /** From handing entries to the storage thread until they are durable here. */
    final Histogram durable = new Histogram();

    /** One write and fsync. */
    final Histogram fsync = new Histogram();

    /** Inputs that the event loop took at once. */
    final Histogram turnInputs = new Histogram();

    /** Entries that one fsync made durable. */
    final Histogram fsyncEntries = new Histogram();

    /** Bytes that one fsync made durable. */
    final Histogram fsyncBytes = new Histogram();

    /**
     * @param name as in status; with {@code unit} it makes the name of the metric
     * @param unit nanos, inputs, entries or bytes
     */
    record Named(String name, String unit, String help, Histogram histogram) {}

    List<Named> all() {
        return List.of(
                new Named("queue", "nanos", "Socket to event loop.", queue),
                new Named("append", "nanos", "Event loop to disk and links, of writes.", append),
                new Named("quorum", "nanos", "Disk and links to commit, of writes.", quorum),
                new Named("commit", "nanos", "Event loop to commit, of writes.", commit),
                new Named("apply", "nanos", "Commit to answer, of writes.", apply),
                new Named("reply", "nanos", "Answer to socket.", reply),
                new Named("read", "nanos", "Socket to answer, of reads.", read),
                new Named("durable", "nanos", "Append to durable on this node.", durable),
                new Named("fsync", "nanos", "One write and fsync of the log.", fsync),
                new Named("turn", "inputs", "Inputs taken by one turn of the loop.", turnInputs),
                new Named("fsync", "entries", "Entries of one fsync.", fsyncEntries),
                new Named("fsync", "bytes", "Bytes made durable by one fsync.", fsyncBytes));
    }
}
