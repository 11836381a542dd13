package raft.harness.docker;

import java.io.IOException;
import java.nio.file.Path;

/** The main program of a process that brings a cluster up and waits to be killed. */
final class KilledHarness {
    private KilledHarness() {}

    /**
     * Prints the run's id once the cluster is up.
     *
     * @param args the run's folder
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        StandInCluster cluster = StandInCluster.start(Path.of(args[0]), 2);
        System.out.println(cluster.runId());
        Thread.sleep(Long.MAX_VALUE);
    }
}
