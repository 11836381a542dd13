package raft.harness.sim.travel;

import org.jspecify.annotations.Nullable;

import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.nemesis.ActiveFault;
import raft.harness.sim.Coverage;
import raft.harness.sim.NodeCode;
import raft.harness.sim.Scenario;
import raft.harness.sim.SimOptions;
import raft.harness.sim.SimRun;
import raft.harness.sim.SimulatedCluster;
import raft.harness.sim.travel.Decision.Act;

import java.util.ArrayList;
import java.util.List;

/**
 * A whole simulated run as what was asked of its cluster and when: what a loaded run consists of
 * once its workload and its plan have been resolved. Repeating the decisions repeats the run, event
 * by event; leaving one delivery out leaves all the others as they were.
 *
 * @param endNanos when clients and the final reads were done
 * @param digest of all events up to then
 * @param eventCount up to then
 * @param endedEarly whether an invariant broke before that
 */
public record Recorded(
        SimOptions options,
        List<Decision> decisions,
        long endNanos,
        long digest,
        long eventCount,
        SimRun.Result result,
        boolean endedEarly) {
    public Recorded {
        decisions = List.copyOf(decisions);
    }

    /** Whether what is wrong shows up to {@link #endNanos}, so that one can go there. */
    public boolean isSeenToFail() {
        return endedEarly || result.finder() == SimRun.Finder.CHECKER;
    }

    /** Runs a scenario once and writes down what it asked for. */
    public static Recorded of(Scenario scenario, NodeCode code) {
        Scribe[] scribe = new Scribe[1];
        SimRun.Result result =
                SimRun.run(scenario, code.around(cluster -> scribe[0] = new Scribe(cluster)), null);
        Scribe written = scribe[0];
        return new Recorded(
                scenario.options(),
                written.decisions,
                written.endNanos < 0 ? written.nowNanos() : written.endNanos,
                written.endNanos < 0 ? written.digest() : written.endDigest,
                written.endNanos < 0 ? written.eventCount() : written.endEvents,
                result,
                written.endNanos < 0);
    }

    /** Hands everything on and keeps what was asked. */
    private static final class Scribe implements SimulatedCluster {
        private final SimulatedCluster inner;
        private final List<Decision> decisions = new ArrayList<>();
        private long endNanos = -1;
        private long endDigest;
        private long endEvents;

        Scribe(SimulatedCluster inner) {
            this.inner = inner;
        }

        private void write(Act act) {
            if (endNanos < 0) {
                decisions.add(new Decision(inner.eventCount(), inner.nowNanos(), false, "", act));
            }
        }

        @Override
        public void invoke(Invocation invocation) {
            write(new Act.Invoke(invocation));
            inner.invoke(invocation);
        }

        @Override
        public void inject(ActiveFault fault) {
            write(new Act.Inject(fault));
            inner.inject(fault);
        }

        @Override
        public void heal(ActiveFault fault) {
            write(new Act.Heal(fault));
            inner.heal(fault);
        }

        @Override
        public void observe() {
            write(new Act.Observe());
            inner.observe();
        }

        @Override
        public void healAll() {
            write(new Act.HealAll());
            inner.healAll();
        }

        @Override
        public void demandLiveness() throws InterruptedException {
            endNanos = inner.nowNanos();
            endDigest = inner.digest();
            endEvents = inner.eventCount();
            inner.demandLiveness();
        }

        @Override
        public @Nullable Completion poll(long deadlineNanos) throws InterruptedException {
            return inner.poll(deadlineNanos);
        }

        @Override
        public String kind() {
            return inner.kind();
        }

        @Override
        public List<String> nodes() {
            return inner.nodes();
        }

        @Override
        public long nowNanos() {
            return inner.nowNanos();
        }

        @Override
        public long digest() {
            return inner.digest();
        }

        @Override
        public long eventCount() {
            return inner.eventCount();
        }

        @Override
        public void trace(@Nullable Trace trace) {
            inner.trace(trace);
        }

        @Override
        public void nodeLog(NodeLog log) {
            inner.nodeLog(log);
        }

        @Override
        public long utcMillis() {
            return inner.utcMillis();
        }

        @Override
        public List<String> brokenInvariants() {
            return inner.brokenInvariants();
        }

        @Override
        public Coverage coverage() {
            return inner.coverage();
        }

        @Override
        public void close() {
            inner.close();
        }
    }
}
