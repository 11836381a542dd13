package raft.core;

/**
 * A member's name: 1 to 64 characters out of letters, digits, '.', '_' and '-'; unique within a
 * cluster for ever.
 */
public record NodeId(String name) implements Comparable<NodeId> {
    public NodeId {
        if (!name.matches("[A-Za-z0-9._-]{1,64}")) {
            throw new IllegalArgumentException("not a node id: '" + name + "'");
        }
    }

    @Override
    public int compareTo(NodeId other) {
        return name.compareTo(other.name);
    }

    @Override
    public String toString() {
        return name;
    }
}
