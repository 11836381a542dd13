package raft.node;

import raft.core.Effect;
import raft.core.Entry;
import raft.core.LogWrite;
import raft.storage.DiskFailedException;
import raft.storage.Wal;

import java.io.IOException;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * Writes what Raft wants durable: takes all that is waiting, writes it at once, syncs once, reports
 * the last ticket. While one fsync runs, the next group gathers; that is the group commit.
 *
 * <p>Never interrupted, since that would close the file under it.
 */
final class StorageThread implements Runnable {
    private static final int GROUP_BYTES_MAX = 4 << 20;

    private final Mailbox<Effect.Persist> queue = new Mailbox<>();
    private final Wal wal;
    private final NodeClock clock;
    private final Counters counters;
    private final Timings timings;
    private final LongConsumer persisted;
    private final Fatal fatal;
    private final Runnable spareUsed;
    private int entryCount;

    /**
     * @param persisted told the last durable ticket
     * @param spareUsed told when a segment could be preallocated
     */
    StorageThread(
            Wal wal,
            NodeClock clock,
            Counters counters,
            Timings timings,
            LongConsumer persisted,
            Runnable spareUsed,
            Fatal fatal) {
        this.wal = wal;
        this.clock = clock;
        this.counters = counters;
        this.timings = timings;
        this.persisted = persisted;
        this.spareUsed = spareUsed;
        this.fatal = fatal;
    }

    void persist(Effect.Persist persist) {
        queue.put(persist);
    }

    int queuedCount() {
        return queue.itemCount();
    }

    /** Ends the thread, after writing what is queued or without. */
    void close(boolean discard) {
        queue.close(discard);
    }

    @Override
    public void run() {
        try {
            while (true) {
                List<Effect.Persist> group = queue.take(Long.MAX_VALUE);
                if (group.isEmpty()) {
                    break;
                }
                write(group);
            }
            wal.close();
        } catch (DiskFailedException e) {
            fatal.stop(Fatal.DISK, "the disk failed", e);
        } catch (IOException e) {
            fatal.stop(Fatal.DISK, "cannot close the log", e);
        } catch (InterruptedException | RuntimeException e) {
            fatal.stop(Fatal.BUG, "the storage thread failed", e);
        }
    }

    private void write(List<Effect.Persist> group) throws DiskFailedException {
        long ticket = 0;
        for (Effect.Persist persist : group) {
            wal.append(persist.writes());
            for (LogWrite write : persist.writes()) {
                if (write instanceof LogWrite.Append(List<Entry> entries)) {
                    entryCount += entries.size();
                }
            }
            ticket = persist.ticket();
            if (wal.pendingBytes() >= GROUP_BYTES_MAX) {
                sync(ticket);
            }
        }
        sync(ticket);
        wal.dropUnneeded();
        if (wal.spareWanted()) {
            spareUsed.run();
        }
    }

    private void sync(long ticket) throws DiskFailedException {
        long start = clock.nanoTime();
        int bytes = wal.sync();
        if (bytes > 0) {
            long nanos = clock.nanoTime() - start;
            counters.countFsync(nanos, bytes);
            timings.fsync.record(nanos);
            timings.fsyncBytes.record(bytes);
            timings.fsyncEntries.record(entryCount);
        }
        entryCount = 0;
        persisted.accept(ticket);
    }
}
