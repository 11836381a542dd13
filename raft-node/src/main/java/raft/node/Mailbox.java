package raft.node;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Hands work from many threads to one, which takes all there is at a time: a slow receiver gets
 * larger batches instead of a longer queue of wake-ups.
 */
final class Mailbox<T> {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private final Condition drained = lock.newCondition();
    private final int itemCountMax;
    private final long itemBytesMax;
    private List<T> items = new ArrayList<>();
    private long itemBytes;
    private boolean waiting;
    private boolean closed;

    /** For senders that never wait. */
    Mailbox() {
        this(Integer.MAX_VALUE, Long.MAX_VALUE);
    }

    /**
     * @param itemCountMax at which {@link #putPatiently} waits
     * @param itemBytesMax likewise
     */
    Mailbox(int itemCountMax, long itemBytesMax) {
        this.itemCountMax = itemCountMax;
        this.itemBytesMax = itemBytesMax;
    }

    /** Never waits; for senders whose amount is bounded elsewhere. Lost once closed. */
    void put(T item) {
        putAll(List.of(item));
    }

    /** Never waits; for senders whose amount is bounded elsewhere. Lost once closed. */
    void putAll(Collection<? extends T> more) {
        lock.lock();
        try {
            add(more);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits while the box is full, which is how a peer's socket is slowed down.
     *
     * @param moreBytes what the items weigh together
     */
    void putPatiently(Collection<? extends T> more, long moreBytes) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while ((items.size() >= itemCountMax || itemBytes >= itemBytesMax) && !closed) {
                drained.await();
            }
            itemBytes += moreBytes;
            add(more);
        } finally {
            lock.unlock();
        }
    }

    private void add(Collection<? extends T> more) {
        if (closed || more.isEmpty()) {
            return;
        }
        items.addAll(more);
        if (waiting) {
            filled.signal();
        }
    }

    /**
     * Waits for items, at most {@code timeoutNanos}, and takes them all; empty on timeout and once
     * closed.
     */
    List<T> take(long timeoutNanos) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long left = timeoutNanos;
            waiting = true;
            while (items.isEmpty() && left > 0 && !closed) {
                left = filled.awaitNanos(left);
            }
            waiting = false;
            if (items.isEmpty()) {
                return List.of();
            }
            List<T> taken = items;
            items = new ArrayList<>(Math.min(taken.size(), 1024));
            itemBytes = 0;
            drained.signalAll();
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Nothing is taken in any more; what is there can still be taken.
     *
     * @param discard whether to throw that away as well
     */
    void close(boolean discard) {
        lock.lock();
        try {
            closed = true;
            if (discard) {
                items = new ArrayList<>();
            }
            filled.signalAll();
            drained.signalAll();
        } finally {
            lock.unlock();
        }
    }

    boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    int itemCount() {
        lock.lock();
        try {
            return items.size();
        } finally {
            lock.unlock();
        }
    }
}
