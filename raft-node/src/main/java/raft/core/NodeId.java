package raft.core;

import java.util.regex.Pattern;

/**
 * A member's name: 1 to 64 characters out of letters, digits, '.', '_' and '-'; unique within a
 * cluster for ever.
 */
public record NodeId(String name) implements Comparable<NodeId> {
    private static final Pattern VALID = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    public NodeId {
        if (!VALID.matcher(name).matches()) {
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
