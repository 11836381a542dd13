package raft.core;

import java.util.List;

/**
 * Going on after a majority of the voters is lost for good, decided by an operator on a stopped
 * node. Outside Raft's promises: what only the lost nodes held is lost, and what this node's log
 * holds counts as committed, though it may never have been.
 *
 * <p>The node becomes the only voter by an entry of kind {@link Entry.Kind#RECOVERY} at the end of
 * its log, in a new term in which it has voted for itself; so it wins its next election, and
 * whoever is added later learns from the log what happened. That no node with older data takes part
 * any more is not seen to here: the cluster needs another name.
 */
public final class LostQuorum {
    private LostQuorum() {}

    /**
     * The members as a stopped node's log says, committed or not.
     *
     * @param initial the members that the cluster began with
     */
    public static Configuration members(Configuration initial, Recovered found) {
        return Membership.recovered(initial, found).latest();
    }

    /** The term in which the node goes on. */
    public static long nextTerm(Recovered found) {
        return found.hardState().term() + 1;
    }

    /** What must be written, as one batch, behind what was found. */
    public static List<LogWrite> writes(Recovered found, Configuration.Member only) {
        if (!only.voter()) {
            throw new IllegalArgumentException(only.id() + " must be a voter");
        }
        long term = nextTerm(found);
        long index = found.baseIndex() + found.entries().size() + 1;
        Bytes members = new Configuration(List.of(only)).encode();
        return List.of(
                new LogWrite.HardState(term, only.id()),
                new LogWrite.Append(List.of(new Entry(index, term, Entry.Kind.RECOVERY, members))));
    }
}
