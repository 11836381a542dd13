package raft.core;

/**
 * What is known of a snapshot on this node's disk (§7): it stands for all entries up to {@code
 * index}.
 *
 * @param index of the last entry in it, ≥ 1
 * @param term of that entry
 * @param sizeBytes of the file, which is also what is sent to others
 * @param configurationIndex of the entry that set {@code configuration}
 * @param configuration the one in force at {@code index}
 */
public record Snapshot(
        long index,
        long term,
        long sizeBytes,
        long configurationIndex,
        Configuration configuration) {

    /** Whether both stand for the same entries; the file may still differ from node to node. */
    public boolean isOf(long otherIndex, long otherTerm) {
        return index == otherIndex && term == otherTerm;
    }
}
