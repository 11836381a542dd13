package raft.node;

import raft.storage.DiskFailedException;
import raft.storage.Wal;

/**
 * Preallocates the next log segment while the storage thread goes on writing. Never interrupted.
 */
final class SpareThread implements Runnable {
    private final Mailbox<Boolean> wishes = new Mailbox<>();
    private final Wal wal;
    private final Fatal fatal;

    SpareThread(Wal wal, Fatal fatal) {
        this.wal = wal;
        this.fatal = fatal;
    }

    void wish() {
        if (wishes.itemCount() == 0) {
            wishes.put(true);
        }
    }

    void close() {
        wishes.close(true);
    }

    @Override
    public void run() {
        try {
            while (!wishes.take(Long.MAX_VALUE).isEmpty()) {
                wal.prepareSpare();
            }
        } catch (DiskFailedException e) {
            fatal.stop(Fatal.DISK, "the disk failed", e);
        } catch (InterruptedException | RuntimeException e) {
            fatal.stop(Fatal.BUG, "the preallocating thread failed", e);
        }
    }
}
