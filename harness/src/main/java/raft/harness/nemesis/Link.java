package raft.harness.nemesis;

/**
 * One direction of the connection between two nodes: packets sent by {@code from} and addressed to
 * {@code to}.
 */
public record Link(String from, String to) implements Comparable<Link> {
    @Override
    public int compareTo(Link other) {
        int byFrom = from.compareTo(other.from);
        return byFrom != 0 ? byFrom : to.compareTo(other.to);
    }

    @Override
    public String toString() {
        return from + "->" + to;
    }
}
