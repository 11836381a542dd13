package raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import raft.core.Configuration;
import raft.core.Effect;
import raft.core.Event;
import raft.core.LogWrite;
import raft.core.Message;
import raft.core.NodeId;
import raft.core.Raft;
import raft.core.RaftConfig;
import raft.core.Recovered;
import raft.kv.Image;
import raft.kv.KeyValueStore;
import raft.storage.Disk;
import raft.storage.Wal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What must end the process ends it at once and is never tried again. */
@Timeout(60)
final class FatalTest {
    private final List<String> stops = new ArrayList<>();
    private final Fatal fatal = (status, what, cause) -> stops.add(status + " " + cause);
    private final Counters counters = new Counters();

    @Test
    void aFailedFsyncStopsTheNodeAndReportsNothingDurable() throws Exception {
        FailingDisk disk = new FailingDisk();
        Wal wal = Wal.open(disk, 4096, () -> 1).wal();
        List<Long> persisted = new ArrayList<>();
        StorageThread storage =
                new StorageThread(
                        wal,
                        NodeClock.SYSTEM,
                        counters,
                        new Timings(),
                        persisted::add,
                        () -> {},
                        fatal);
        disk.failing = true;
        storage.persist(
                new Effect.Persist(1, List.of(new LogWrite.HardState(1, new NodeId("n1")))));
        int syncs = disk.syncs;
        storage.run();
        assertThat(stops).singleElement().asString().startsWith("74 ").contains("dying disk");
        assertThat(persisted).isEmpty();
        assertThat(disk.syncs).isEqualTo(syncs + 1);
    }

    @Test
    void aBrokenPromiseToTheAlgorithmStopsTheNodeWithADump() {
        RaftConfig config = RaftConfig.defaults(new NodeId("n1"), List.of(new NodeId("n1")), 1);
        long now = NodeClock.SYSTEM.nanoTime();
        Mailbox<Input> inbox = new Mailbox<>();
        // Nothing was given to the disk, so nothing can have become durable.
        inbox.put(new Input.Core(new Event.Persisted(99)));
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        List<String> dumps = new ArrayList<>();
        EventLoop loop =
                new EventLoop(
                        new Raft(config, Recovered.EMPTY, now),
                        new KeyValueStore(),
                        inbox,
                        NodeClock.SYSTEM,
                        counters,
                        new Log(log, NodeClock.SYSTEM, "n1"),
                        (status, what, cause) -> dumps.add(status + " " + what),
                        new Trace(
                                "n1", NodeClock.SYSTEM, null, new Log(log, NodeClock.SYSTEM, "n1")),
                        new Stopwatch(new Timings(), NodeClock.SYSTEM),
                        new NoOutputs());
        loop.run();
        assertThat(dumps).singleElement().asString().startsWith("70 ").contains("Persisted");
        assertThat(log.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    /** A node whose effects go nowhere. */
    private static final class NoOutputs implements EventLoop.Outputs {
        @Override
        public void persist(Effect.Persist persist) {}

        @Override
        public void send(NodeId to, Message message) {}

        @Override
        public void save(Effect.CaptureState capture, Image state) {}

        @Override
        public void send(Effect.SendChunk chunk) {}

        @Override
        public void keep(Effect.KeepChunk chunk) {}

        @Override
        public void deleteSnapshot(long index) {}

        @Override
        public void configured(Configuration members) {}

        @Override
        public void committed(Configuration members) {}

        @Override
        public void answer(List<ClientServer.Answered> answers) {}

        @Override
        public Status describe(
                Raft raft, KeyValueStore store, int pending, List<Status.Change> changes) {
            throw new IllegalStateException("not asked for");
        }
    }

    /** Takes everything until it dies. */
    private static final class FailingDisk implements Disk, Disk.DiskFile {
        private boolean failing;
        private int syncs;

        @Override
        public List<String> list() {
            return List.of();
        }

        @Override
        public ByteBuffer read(String name) {
            throw new IllegalStateException(name);
        }

        @Override
        public ByteBuffer read(String name, long positionBytes, int sizeBytes) {
            throw new IllegalStateException(name);
        }

        @Override
        public DiskFile create(String name) {
            return this;
        }

        @Override
        public DiskFile open(String name) {
            return this;
        }

        @Override
        public void rename(String from, String to) {}

        @Override
        public void delete(String name) {}

        @Override
        public void syncDirectory() {}

        @Override
        public void write(long positionBytes, ByteBuffer bytes) {
            bytes.position(bytes.limit());
        }

        @Override
        public void sync(boolean withMetadata) throws IOException {
            syncs++;
            if (failing) {
                throw new IOException("dying disk");
            }
        }

        @Override
        public void close() {}
    }
}
