package raft.shell.live;

import raft.harness.cluster.Invocation;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.history.Value;
import raft.harness.workload.Workload;

import java.util.List;
import java.util.TreeSet;

/**
 * A workload that goes on while a person does other things. Its keys are named after it, "queue/3"
 * say, so that neither the person nor another workload meets them by chance.
 *
 * <p>For the cluster's thread.
 */
final class Background {
    private final Workload workload;
    private final int concurrency;
    private final String prefix;
    private final long firstProcess;
    private final long startNanos;
    private final long timeoutNanos;
    private final TreeSet<Long> free = new TreeSet<>();
    private long started;
    private long ok;
    private long unequal;
    private long failed;
    private long unknown;

    /**
     * @param prefix before its keys
     * @param firstProcess its clients have this number and those after it
     * @param startNanos of the cluster's clock
     * @param timeoutNanos how long a client waits
     */
    Background(
            Workload workload,
            int concurrency,
            String prefix,
            long firstProcess,
            long startNanos,
            long timeoutNanos) {
        this.workload = workload;
        this.concurrency = concurrency;
        this.prefix = prefix;
        this.firstProcess = firstProcess;
        this.startNanos = startNanos;
        this.timeoutNanos = timeoutNanos;
        for (long i = 0; i < concurrency; i++) {
            free.add(i);
        }
    }

    /** What it wants done now, or when it wants to be asked again. */
    sealed interface Wish {
        record Do(Invocation invocation) implements Wish {}

        /** Long.MAX_VALUE for not before something ends. */
        record Wait(long untilNanos) implements Wish {}
    }

    Wish next(long nowNanos, List<String> nodes) {
        Workload.Next next = workload.next(nowNanos - startNanos, List.copyOf(free));
        return switch (next) {
            case Workload.Next.Do(long process, var operation) -> {
                free.remove(process);
                started++;
                yield new Wish.Do(
                        new Invocation(
                                firstProcess + process,
                                nodes.get((int) (process % concurrency % nodes.size())),
                                operation.f(),
                                Value.of(prefix + DataText.of(operation.key())),
                                operation.value(),
                                patienceNanos(operation.f()),
                                retry(operation.f())));
            }
            case Workload.Next.WaitUntil(long nanos) ->
                    new Wish.Wait(
                            nanos > Long.MAX_VALUE - startNanos
                                    ? Long.MAX_VALUE
                                    : nanos + startNanos);
        };
    }

    private Invocation.Retry retry(String f) {
        if (f.equals("read")) {
            return Invocation.Retry.NEVER;
        }
        return switch (workload.retry()) {
            case NEVER -> Invocation.Retry.NEVER;
            case IN_SESSION -> Invocation.Retry.IN_SESSION;
            case BLINDLY -> Invocation.Retry.BLINDLY;
        };
    }

    private long patienceNanos(String f) {
        return timeoutNanos * (retry(f) == Invocation.Retry.NEVER ? 1 : Invocation.ATTEMPTS);
    }

    /** Whether it is one of this workload's clients. */
    boolean owns(long process) {
        return process >= firstProcess;
    }

    /** One of its operations ended. */
    void ended(HistoryEvent event) {
        long own = event.process() - firstProcess;
        free.add(event.type() == Type.INFO ? own + concurrency : own);
        String error = event.error();
        switch (event.type()) {
            case OK -> ok++;
            case INFO -> unknown++;
            case FAIL -> {
                if (error != null && error.startsWith("compare-failed")) {
                    unequal++;
                } else {
                    failed++;
                }
            }
            case INVOKE -> throw new IllegalStateException("an end is no beginning");
        }
        workload.completed(withItsOwnKey(event));
    }

    private HistoryEvent withItsOwnKey(HistoryEvent event) {
        String key = DataText.of(event.key());
        return new HistoryEvent(
                event.index(),
                event.timeNanos(),
                event.process() - firstProcess,
                event.type(),
                event.f(),
                DataText.parse(key.startsWith(prefix) ? key.substring(prefix.length()) : key),
                event.value(),
                event.node(),
                event.error(),
                event.term(),
                event.logIndex());
    }

    Tally tally() {
        return new Tally(workload.name(), started, ok, unequal, failed, unknown);
    }
}
