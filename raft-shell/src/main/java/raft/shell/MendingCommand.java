package raft.shell;

import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.shell.live.FaultInForce;

import java.util.List;
import java.util.function.Predicate;

/** Takes faults back. */
abstract class MendingCommand extends FaultCommand {
    final int heal(List<FaultInForce> which) throws InterruptedException {
        int status = 0;
        for (FaultInForce fault : which) {
            FaultOutcome outcome = cluster().heal(fault.fault());
            boolean gone = outcome.status() == Status.INSTALLED;
            if (isJson()) {
                json(object(new FaultInForce(fault.words(), fault.fault(), outcome, 0)));
            } else {
                say(
                        "fault #"
                                + fault.fault().id()
                                + " "
                                + fault.words()
                                + ": "
                                + (gone
                                        ? paint().good("gone")
                                        : paint().unsure("not proven to be gone")));
                evidence(outcome);
            }
            status = gone ? status : 2;
        }
        return status;
    }

    /** Faults of this sort that concern a node's process. */
    final List<FaultInForce> of(String node, Predicate<FaultAction> sort) {
        return cluster().faults().stream()
                .filter(fault -> sort.test(fault.fault().action()))
                .filter(fault -> processes(fault.fault().action()).contains(node))
                .toList();
    }

    private static List<String> processes(FaultAction action) {
        return switch (action) {
            case FaultAction.Kill(List<String> nodes) -> nodes;
            case FaultAction.Stop(List<String> nodes) -> nodes;
            case FaultAction.Pause(List<String> nodes) -> nodes;
            case FaultAction.Disk disk -> disk.nodes();
            default -> List.of();
        };
    }
}
