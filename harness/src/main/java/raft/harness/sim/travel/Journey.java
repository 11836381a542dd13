package raft.harness.sim.travel;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.Verdict;
import raft.harness.cluster.Chronicle;
import raft.harness.cluster.Completion;
import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryHeader;
import raft.harness.model.Models;
import raft.harness.sim.NodeCode;
import raft.harness.sim.Scenario;
import raft.harness.sim.SimOptions;
import raft.harness.sim.SimRun.Finder;
import raft.harness.sim.travel.Decision.Act;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * A person's session in a simulated cluster as data: options, what was asked of the cluster, what
 * was changed by hand, and where the person stood. The same journey gives the same events.
 *
 * @param plant the node's planted bug, null for the right node
 * @param eventCount where the person stood when it was written
 * @param digest of all events up to there
 */
public record Journey(
        @Nullable String plant,
        SimOptions options,
        List<Decision> decisions,
        long eventCount,
        long digest) {
    private static final Budget BUDGET = new Budget(Duration.ofSeconds(20), 256L << 20);

    /** How long it goes on after the last decision. */
    private static final long AFTERWARDS_NANOS = 1_000_000_000;

    public Journey {
        decisions = List.copyOf(decisions);
    }

    /**
     * What came of a repetition.
     *
     * @param same whether the events up to where the person stood were those of then
     * @param finder INVARIANT, CHECKER, UNKNOWN or NOBODY
     * @param what was found, "" for nothing
     * @param eventCount of the whole, which goes on a second after the last decision
     */
    public record Result(
            boolean same, Finder finder, String what, long eventCount, long nanos, long digest) {}

    /** Where a traveller stands. */
    public static Journey of(@Nullable String plant, Travel travel) {
        return new Journey(
                plant, travel.options(), travel.decisions(), travel.eventCount(), travel.digest());
    }

    /**
     * Repeats it, and goes on until a second after the last decision or until an invariant breaks.
     *
     * @param trace is told each event as it happens
     */
    public Result replay(NodeCode code, Consumer<Moment> trace) {
        Clients clients = new Clients();
        Travel travel = new Travel(code, options, decisions, clients);
        try {
            boolean reached = true;
            while (travel.eventCount() < eventCount) {
                Moment moment = travel.step();
                if (moment == null) {
                    reached = false;
                    break;
                }
                trace.accept(moment);
            }
            // A decision that brings an event about, a timer that is fired, may lead further.
            boolean same =
                    reached && travel.eventCount() == eventCount && travel.digest() == digest;
            long until = travel.lastDecisionNanos() + AFTERWARDS_NANOS;
            while (travel.nextNanos() <= until) {
                Moment moment = travel.step();
                if (moment == null) {
                    break;
                }
                trace.accept(moment);
            }
            return judged(travel, same, clients.events);
        } finally {
            travel.close();
        }
    }

    private Result judged(Travel travel, boolean same, List<HistoryEvent> events) {
        Finder finder = Finder.NOBODY;
        String what = "";
        if (!travel.brokenInvariants().isEmpty()) {
            finder = Finder.INVARIANT;
            what = travel.brokenInvariants().getFirst();
        } else {
            HistoryHeader header =
                    new HistoryHeader(
                            HistoryHeader.SCHEMA,
                            "journey",
                            "shell",
                            Models.STORE.name(),
                            Scenario.members(options),
                            options.seed());
            Set<String> functions =
                    events.stream().map(HistoryEvent::f).collect(Collectors.toSet());
            switch (Checker.check(
                    new History(header, events),
                    Models.narrowest(Models.STORE, functions),
                    BUDGET)) {
                case Verdict.Valid _ -> {}
                case Verdict.Violation violation -> {
                    finder = Finder.CHECKER;
                    what = violation.explanation().summary();
                }
                case Verdict.Unknown unknown -> {
                    finder = Finder.UNKNOWN;
                    what = unknown.reason();
                }
            }
        }
        return new Result(
                same, finder, what, travel.eventCount(), travel.nowNanos(), travel.digest());
    }

    /** What clients saw, without the faults. */
    private static final class Clients implements Travel.Listener {
        private final List<HistoryEvent> events = new ArrayList<>();
        private final Set<Long> open = new HashSet<>();
        private final Chronicle chronicle = new Chronicle();

        @Override
        public void restarted() {
            throw new IllegalStateException("a repetition does not go back");
        }

        @Override
        public void decided(Decision decision) {
            if (decision.act() instanceof Act.Invoke(var asked)) {
                open.add(asked.process());
                events.add(chronicle.invoked(asked, decision.timeNanos()));
            }
        }

        @Override
        public void completed(Completion completion, long nowNanos) {
            if (completion instanceof Completion.Operation ended
                    && open.remove(ended.invocation().process())) {
                // The order is what counts; a decision's time is the newest that is known here.
                events.add(chronicle.ended(ended, 0));
            }
        }

        @Override
        public void changed(Moment moment) {}
    }
}
