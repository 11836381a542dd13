package raft.shell.live;

import raft.harness.nemesis.ActiveFault;
import raft.harness.nemesis.FaultOutcome;

/**
 * A fault that was put into effect and not taken back.
 *
 * @param words as the person asked for it
 * @param outcome what is known of its effect
 * @param sinceNanos of the cluster's clock
 */
public record FaultInForce(
        String words, ActiveFault fault, FaultOutcome outcome, long sinceNanos) {}
