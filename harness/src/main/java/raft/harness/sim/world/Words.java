package raft.harness.sim.world;

import raft.core.Message;

/** Events in words, for traces. */
final class Words {
    private Words() {}

    static String of(SimCluster world, Happening happening) {
        SimNode node = happening.node();
        String at = node == null ? "" : node.id.name();
        return switch (happening.kind()) {
            case MESSAGE ->
                    at
                            + " <- "
                            + world.nodeIds().get(happening.from())
                            + " "
                            + message(happening.payload())
                            + (node != null && !node.isUp() ? " (down: lost)" : "");
            case TURN -> at + " takes what waited";
            case TIMER -> at + " timer";
            case FSYNC -> at + " fsync ended";
            case REQUEST -> at + " <- client " + asked(happening.payload());
            case REPLY -> "client <- " + SimClients.describe(happening.payload());
            case CLIENT_TIMEOUT -> "client's patience ends";
            case FAULT_CHANGE ->
                    happening.payload() instanceof SimFaults.Change change
                            ? (change.injected() ? "fault " : "heal ")
                                    + change.fault().kind()
                                    + " #"
                                    + change.fault().id()
                                    + ": "
                                    + change.fault().action()
                            : "fault";
            case OBSERVE -> "status asked";
            case SNAPSHOT -> at + " snapshot: " + happening.payload();
            case UPKEEP -> "an operator acts";
        };
    }

    private static String message(@org.jspecify.annotations.Nullable Object payload) {
        if (payload instanceof Message.AppendEntries append) {
            return "AppendEntries[term="
                    + append.term()
                    + ", prev="
                    + append.prevLogIndex()
                    + "/"
                    + append.prevLogTerm()
                    + ", entries="
                    + append.entries().size()
                    + ", commit="
                    + append.leaderCommit()
                    + "]";
        }
        return String.valueOf(payload);
    }

    private static String asked(@org.jspecify.annotations.Nullable Object payload) {
        return payload instanceof SimClients.Asked asked
                ? asked.op().invocation.f()
                        + " "
                        + asked.op().invocation.key()
                        + " "
                        + asked.op().invocation.value()
                        + " of process "
                        + asked.op().invocation.process()
                : "";
    }
}
