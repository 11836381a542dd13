package raft.harness.workload;

import raft.harness.history.HistoryEvent;

import java.util.List;

/** A workload that works for a while and rests as long, again and again. */
final class BurstyWorkload implements Workload {
    private final Workload workload;
    private final long burstNanos;

    BurstyWorkload(Workload workload, long burstNanos) {
        this.workload = workload;
        this.burstNanos = burstNanos;
    }

    @Override
    public String name() {
        return workload.name();
    }

    @Override
    public String model() {
        return workload.model();
    }

    @Override
    public List<String> functions() {
        return workload.functions();
    }

    @Override
    public Next next(long nowNanos, List<Long> freeProcesses) {
        long at = nowNanos % (2 * burstNanos);
        return at < burstNanos
                ? workload.next(nowNanos, freeProcesses)
                : new Next.WaitUntil(nowNanos - at + 2 * burstNanos);
    }

    @Override
    public void completed(HistoryEvent completion) {
        workload.completed(completion);
    }

    @Override
    public List<Operation> finalOperations() {
        return workload.finalOperations();
    }
}
