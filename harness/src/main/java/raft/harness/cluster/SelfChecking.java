package raft.harness.cluster;

import java.util.List;

/**
 * A cluster that sees into its nodes and checks after every step what must hold over all of them.
 */
public interface SelfChecking {
    /**
     * What broke, each in one sentence with its moment; empty while everything holds. Once it is
     * not, the run ends early: what comes after a broken invariant says nothing more.
     */
    List<String> brokenInvariants();
}
