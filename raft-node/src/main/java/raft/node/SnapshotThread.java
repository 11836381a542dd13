package raft.node;

import raft.core.Bytes;
import raft.core.Effect;
import raft.core.Event;
import raft.core.Message;
import raft.core.NodeId;
import raft.core.Snapshot;
import raft.kv.KeyValueStore;
import raft.kv.UnreadableSnapshotException;
import raft.storage.DiskFailedException;
import raft.storage.SavedState;
import raft.storage.SnapshotFormat;
import raft.storage.SnapshotStore;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Reads and writes snapshots beside the log, so that neither the event loop nor an fsync of the log
 * waits for one. Works in order; never interrupted, since that would close the file under it.
 */
final class SnapshotThread implements Runnable {
    private final Mailbox<Job> queue = new Mailbox<>();
    private final SnapshotStore store;
    private final Consumer<Input> inbox;
    private final BiConsumer<NodeId, Message> send;
    private final Counters counters;
    private final Log log;
    private final Fatal fatal;

    /** What there is to do. */
    private sealed interface Job {
        record Save(Effect.CaptureState capture, SnapshotStore.State state) implements Job {}

        record Read(Effect.SendChunk chunk) implements Job {}

        record Keep(Effect.KeepChunk chunk) implements Job {}

        record Delete(long index) implements Job {}
    }

    /**
     * @param inbox the event loop's
     * @param send to a peer; must not wait
     */
    SnapshotThread(
            SnapshotStore store,
            Consumer<Input> inbox,
            BiConsumer<NodeId, Message> send,
            Counters counters,
            Log log,
            Fatal fatal) {
        this.store = store;
        this.inbox = inbox;
        this.send = send;
        this.counters = counters;
        this.log = log;
        this.fatal = fatal;
    }

    /**
     * @param state asked on this thread
     */
    void save(Effect.CaptureState capture, SnapshotStore.State state) {
        queue.put(new Job.Save(capture, state));
    }

    void send(Effect.SendChunk chunk) {
        queue.put(new Job.Read(chunk));
    }

    void keep(Effect.KeepChunk chunk) {
        queue.put(new Job.Keep(chunk));
    }

    void delete(long index) {
        queue.put(new Job.Delete(index));
    }

    /** Ends the thread. What it had to do is not promised to anybody. */
    void close() {
        queue.close(true);
    }

    @Override
    public void run() {
        try {
            while (true) {
                List<Job> jobs = queue.take(Long.MAX_VALUE);
                if (jobs.isEmpty()) {
                    return;
                }
                for (Job job : jobs) {
                    work(job);
                }
            }
        } catch (DiskFailedException e) {
            fatal.stop(Fatal.DISK, "the disk failed", e);
        } catch (InterruptedException | RuntimeException e) {
            fatal.stop(Fatal.BUG, "the snapshot thread failed", e);
        }
    }

    private void work(Job job) throws DiskFailedException {
        switch (job) {
            case Job.Save(Effect.CaptureState capture, SnapshotStore.State state) -> {
                Snapshot saved =
                        store.save(
                                capture.index(),
                                capture.term(),
                                capture.configurationIndex(),
                                capture.configuration(),
                                state);
                counters.snapshotsTaken.incrementAndGet();
                inbox.accept(new Input.Core(new Event.SnapshotSaved(saved)));
            }
            case Job.Read(Effect.SendChunk chunk) -> read(chunk);
            case Job.Keep(Effect.KeepChunk chunk) -> keepPiece(chunk);
            case Job.Delete(long index) -> store.delete(index);
        }
    }

    private void read(Effect.SendChunk chunk) {
        Snapshot snapshot = chunk.snapshot();
        try {
            Bytes data = store.read(snapshot, chunk.offsetBytes(), chunk.bytesMax());
            send.accept(
                    chunk.to(),
                    new Message.InstallSnapshot(
                            chunk.term(),
                            snapshot.index(),
                            snapshot.term(),
                            snapshot.sizeBytes(),
                            chunk.offsetBytes(),
                            data));
        } catch (IOException e) {
            // Deleted when this node stopped leading, while the piece waited here: nobody misses
            // it. Anything else shows again when the leader sends the piece once more.
            log.warn("cannot read the snapshot of index " + snapshot.index() + ": " + e);
        }
    }

    private void keepPiece(Effect.KeepChunk chunk) throws DiskFailedException {
        store.keep(chunk.offsetBytes(), chunk.data());
        if (!chunk.last()) {
            return;
        }
        SnapshotFormat.Loaded loaded = store.complete(chunk.index(), chunk.term());
        if (loaded == null) {
            log.warn("the snapshot of index " + chunk.index() + " arrived damaged");
            inbox.accept(new Input.Core(new Event.SnapshotSpoilt(chunk.index(), chunk.term())));
            return;
        }
        KeyValueStore state = restored(loaded.state());
        store.install(loaded.snapshot());
        counters.snapshotsInstalled.incrementAndGet();
        inbox.accept(new Input.SnapshotLoaded(loaded.snapshot(), state));
    }

    /** Made here, so that the event loop waits neither for the file nor for what is in it. */
    private static KeyValueStore restored(SavedState saved) throws DiskFailedException {
        KeyValueStore state = new KeyValueStore();
        try (InputStream bytes = saved.open()) {
            state.restore(bytes, saved.sizeBytes());
        } catch (UnreadableSnapshotException e) {
            throw new IllegalStateException("the leader's snapshot cannot be read", e);
        } catch (IOException e) {
            throw new DiskFailedException("cannot read a snapshot", e);
        }
        return state;
    }
}
