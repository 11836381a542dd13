package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

import raft.harness.nemesis.FaultAction;
import raft.harness.nemesis.FaultOutcome.Status;
import raft.shell.live.FaultInForce;
import raft.shell.live.UsageException;

import java.util.List;

/** What an operator asks of Raft itself. */
final class OperatorCommands {
    private OperatorCommands() {}

    /** What an operator asks of Raft; nothing stays in force. */
    abstract static class Request extends FaultCommand {
        final int ask(String typed, String kind, FaultAction action) throws InterruptedException {
            FaultInForce asked = cluster().inject(typed, kind, action);
            boolean done = asked.outcome().status() == Status.INSTALLED;
            if (isJson()) {
                json(object(asked));
            } else {
                say(typed + ": " + (done ? paint().good("done") : status(asked.outcome())));
                evidence(asked.outcome());
            }
            return done ? 0 : 2;
        }
    }

    @Command(
            name = "transfer",
            description = "Hands leadership to another node.",
            footer = {"", "Example:  transfer n3"})
    static final class Transfer extends Request {
        @Parameters(index = "0", paramLabel = "NODE", description = "who is to lead")
        String word = "";

        @Override
        public Integer call() throws InterruptedException {
            String to = node(word);
            return ask(
                    "transfer " + to,
                    "raft-transfer-leadership",
                    new FaultAction.TransferLeadership(to));
        }
    }

    @Command(
            name = "elect",
            description = "Lets a node start an election now, as if it heard from no leader.",
            footer = {"", "Example:  elect n2"})
    static final class Elect extends Request {
        @Parameters(index = "0", paramLabel = "NODE", description = "which")
        String word = "";

        @Override
        public Integer call() throws InterruptedException {
            String node = node(word);
            return ask("elect " + node, "raft-election", new FaultAction.StartElection(node));
        }
    }

    @Command(
            name = "snapshot",
            description = "Lets nodes take a snapshot now and drop the log before it.",
            footer = {"", "Examples:", "  snapshot n2", "  snapshot n1,n2,n3"})
    static final class SnapshotNow extends Request {
        @Parameters(index = "0", paramLabel = "NODE", description = "which, or leader")
        String word = "";

        @Override
        public Integer call() throws InterruptedException {
            List<String> whose = nodes(word);
            return ask("snapshot " + word, "raft-snapshot", new FaultAction.TakeSnapshot(whose));
        }
    }

    @Command(
            name = "members",
            description = "Changes who votes.",
            footer = {
                "",
                "One change at a time; a new node joins as learner first. Removed nodes go on"
                        + " running, and",
                "'heal' does not bring them back: 'members add' does.",
                "",
                "Examples:",
                "  members remove n2",
                "  members add n2"
            })
    static final class Members extends Request {
        @Parameters(index = "0", paramLabel = "add|remove|replace", description = "what to do")
        String what = "";

        @Parameters(index = "1", paramLabel = "NODE", description = "with whom")
        String word = "";

        @Override
        public Integer call() throws InterruptedException {
            String node = what.equals("add") ? word : node(word);
            FaultAction action =
                    switch (what) {
                        case "add" -> new FaultAction.AddVoter(node);
                        case "remove" -> new FaultAction.RemoveVoter(node);
                        case "replace" -> new FaultAction.ReplaceVoter(node);
                        default ->
                                throw new UsageException(
                                        "members can be added, removed or replaced, not '"
                                                + what
                                                + "'");
                    };
            return ask("members " + what + " " + node, "membership-" + what, action);
        }
    }
}
