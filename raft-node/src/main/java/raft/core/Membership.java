package raft.core;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.List;

/**
 * The configurations that this node's log holds, and which of them is in force (thesis §4.1): the
 * latest one in the log, committed or not. One that is truncated away gives way to the one before.
 *
 * <p>Keeps the newest committed configuration and those behind it, which are one at most if all
 * leaders kept to the rules.
 */
final class Membership {
    private record Placed(long index, Configuration configuration) {}

    /** Ascending by index, never empty. */
    private final ArrayDeque<Placed> placed = new ArrayDeque<>();

    private List<NodeId> voters;

    /**
     * @param index of the entry that set {@code configuration}, or of the snapshot that holds it; 0
     *     for the one a cluster begins with
     */
    Membership(long index, Configuration configuration) {
        placed.addLast(new Placed(index, configuration));
        voters = configuration.voters();
    }

    /**
     * What a log that was found on the disk says.
     *
     * @param initial the members that the cluster began with
     */
    static Membership recovered(Configuration initial, Recovered recovered) {
        Snapshot snapshot = recovered.snapshot();
        Membership membership =
                snapshot == null
                        ? new Membership(0, initial)
                        : new Membership(snapshot.configurationIndex(), snapshot.configuration());
        for (Entry entry : recovered.entries()) {
            if (entry.kind().isConfiguration() && entry.index() > membership.latestIndex()) {
                membership.appended(entry);
            }
        }
        return membership;
    }

    /**
     * Notes a configuration entry that was appended to the log; it counts from now on.
     *
     * @throws IllegalStateException if more than one voter comes or goes, so that majorities before
     *     and after need not overlap, unless a quorum was lost
     */
    void appended(Entry entry) {
        Configuration next = Configuration.decode(entry.payload());
        long changed =
                next.voters().stream().filter(id -> !isVoter(id)).count()
                        + voters.stream().filter(id -> !next.isVoter(id)).count();
        // After a lost quorum an operator answers for it that the others are gone for good.
        boolean forced = entry.kind() == Entry.Kind.RECOVERY;
        if (changed > 1 && !forced && !latest().equals(Configuration.NONE)) {
            throw new IllegalStateException(
                    "majorities overlap (thesis §4.1): entry "
                            + entry.index()
                            + " changes "
                            + latest()
                            + " to "
                            + next);
        }
        placed.addLast(new Placed(entry.index(), next));
        voters = next.voters();
    }

    /** The log was cut from {@code fromIndex} on. */
    void truncated(long fromIndex) {
        while (placed.size() > 1 && placed.getLast().index >= fromIndex) {
            placed.removeLast();
        }
        voters = latest().voters();
    }

    /** What lies before the newest committed configuration will never be needed again. */
    void committed(long commitIndex) {
        while (placed.size() > 1 && second().index <= commitIndex) {
            placed.removeFirst();
        }
    }

    private Placed second() {
        var it = placed.iterator();
        it.next();
        return it.next();
    }

    /** A snapshot took the place of the log up to {@code index}. */
    void restored(long index, Configuration configuration) {
        while (!placed.isEmpty() && placed.getFirst().index <= index) {
            placed.removeFirst();
        }
        placed.addFirst(new Placed(index, configuration));
        voters = latest().voters();
    }

    Configuration latest() {
        return placed.getLast().configuration;
    }

    long latestIndex() {
        return placed.getLast().index;
    }

    /** The newest that is known to be committed, given that {@link #committed} was told. */
    Configuration committed() {
        return placed.getFirst().configuration;
    }

    long committedIndex() {
        return placed.getFirst().index;
    }

    /** Configurations that are not known to be committed. */
    int uncommittedCount() {
        return placed.size() - 1;
    }

    /** Of the latest configuration. */
    List<NodeId> voters() {
        return voters;
    }

    boolean isVoter(NodeId id) {
        return voters.contains(id);
    }

    /**
     * Why {@code change} makes no sense now, in one sentence; null if it does.
     *
     * @param change of a member, unless it adds one
     */
    @Nullable String objection(Change change) {
        Configuration now = latest();
        NodeId id = change.id();
        return switch (change) {
            case Change.AddLearner ignored ->
                    now.contains(id) ? id + " is a member already." : null;
            case Change.Promote ignored -> now.isVoter(id) ? id + " is a voter already." : null;
            case Change.Remove ignored ->
                    voters.equals(List.of(id))
                            ? id + " is the only voter: without it nothing can be decided."
                            : null;
        };
    }

    /**
     * The configuration after {@code change}, to which there is no objection.
     *
     * @param index of the entry that will say so
     */
    Configuration after(Change change, long index) {
        Configuration now = latest();
        return switch (change) {
            case Change.AddLearner(NodeId id, String address) ->
                    now.with(new Configuration.Member(id, address, false, index));
            case Change.Promote(NodeId id) -> {
                Configuration.Member learner = now.member(id);
                yield now.with(
                        learner == null
                                ? new Configuration.Member(id, "", true, index)
                                : new Configuration.Member(
                                        id, learner.address(), true, learner.addedIndex()));
            }
            case Change.Remove(NodeId id) -> now.without(id);
        };
    }
}
