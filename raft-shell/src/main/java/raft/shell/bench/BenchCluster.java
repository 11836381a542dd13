package raft.shell.bench;

import java.io.Closeable;
import java.io.IOException;

/** Three members on this machine, without containers. */
sealed interface BenchCluster extends Closeable permits RaftCluster, EtcdCluster {
    int MEMBER_COUNT = 3;

    /** Waits until there is a leader, and says which member it is, 0 to 2. */
    int leader() throws IOException, InterruptedException;

    /** Where a member's clients connect, on loopback. */
    int clientPort(int member);

    Process process(int member);

    /** Ends all members and removes their data. */
    @Override
    void close() throws IOException;
}
