package raft.harness.nemesis;

import java.util.List;

/**
 * A fault with everything decided: which links, which nodes. The only thing a cluster needs to
 * understand.
 */
public sealed interface FaultAction {
    /** All packets on these links are dropped. */
    record Cut(List<Link> links) implements FaultAction {
        public Cut {
            links = links.stream().sorted().distinct().toList();
        }

        @Override
        public String toString() {
            return "cut " + links;
        }
    }

    /** SIGKILL; taken back by starting the nodes again with the data they had. */
    record Kill(List<String> nodes) implements FaultAction {
        public Kill {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "kill " + nodes;
        }
    }

    /** The processes are frozen; taken back by resuming them. */
    record Pause(List<String> nodes) implements FaultAction {
        public Pause {
            nodes = List.copyOf(nodes);
        }

        @Override
        public String toString() {
            return "pause " + nodes;
        }
    }
}
