package raft.harness.run;

import raft.harness.history.HistoryEvent.Type;
import raft.harness.nemesis.FaultChoice;

import java.util.ArrayList;
import java.util.List;

/**
 * A condition under which a run is evidence at all. A run in which nothing went wrong because
 * nothing was tried must not be green.
 *
 * @param name short, for programs
 * @param passed whether it holds
 * @param words what was wanted and what was seen
 */
public record Gate(String name, boolean passed, String words) {
    /** Below this share of the asked rate a run is no longer the test that was asked for. */
    private static final double RATE_SHARE_MIN = 0.5;

    /**
     * Below this share of decided operations the system was hardly there: what it would do at work
     * was not seen. Drawn plans leave a third of the time and more without a fault, and no honest
     * run came below 40 %; a plan that denies everybody a majority nearly all the time shows too
     * little as well, whoever is to blame.
     */
    private static final double DECIDED_SHARE_MIN = 0.1;

    private static final double OVERLAP_SHARE_MIN = 0.05;

    /**
     * A leader that is out of action this long must have been replaced: ten times the default
     * election timeout's spread.
     */
    private static final long LEADER_FAULT_MILLIS_MIN = 3_000;

    /**
     * Judges a finished run.
     *
     * @param functions each must have succeeded, and a share of each been decided
     * @param choice each request that was insisted on must have been proven at least once, and
     *     whatever may have been in force proven to be gone
     * @param ratePerSecond that was asked for
     * @param concurrency with one process nothing can overlap
     * @param nodeCount with one node nobody else can lead
     */
    public static List<Gate> judge(
            RunRecord record,
            List<String> functions,
            FaultChoice choice,
            double ratePerSecond,
            int concurrency,
            int nodeCount) {
        List<Gate> gates = new ArrayList<>();
        for (String f : functions) {
            gates.add(succeeded(record, f));
        }
        double rate =
                record.workloadNanos() == 0
                        ? 0
                        : record.workloadInvokedCount() / (record.workloadNanos() / 1e9);
        gates.add(
                new Gate(
                        "rate",
                        rate >= ratePerSecond * RATE_SHARE_MIN,
                        String.format(
                                "%.0f operations a second of %.0f that were asked for",
                                rate, ratePerSecond)));
        if (concurrency > 1) {
            gates.add(
                    new Gate(
                            "concurrent",
                            record.overlappedShare() >= OVERLAP_SHARE_MIN,
                            String.format(
                                    "%.0f %% of operations overlapped another",
                                    record.overlappedShare() * 100)));
        }
        for (FaultChoice.Request request : choice.requests()) {
            gates.add(faultsProven(record, request));
        }
        if (nodeCount > 1) {
            leaderChanged(record, gates);
        }
        gates.add(finalReads(record));
        FinalStates states = record.finalStates();
        if (states != null && states.isTold()) {
            gates.add(new Gate("states-compared", states.isComplete(), states.words()));
        }
        return List.copyOf(gates);
    }

    private static Gate succeeded(RunRecord record, String f) {
        long ok = record.count(f, Type.OK);
        long decided = record.decided(f);
        long asked = record.workloadInvoked(f);
        boolean enough = decided >= asked * DECIDED_SHARE_MIN;
        String words =
                ok + " of " + record.count(f, Type.INVOKE) + " " + f + " operations succeeded";
        return new Gate(
                f + "-succeeded",
                ok > 0 && enough,
                enough
                        ? words
                        : words
                                + String.format(
                                        ", and only %d of the %d before the final phase were"
                                                + " decided at all; %.0f %% of them must be",
                                        decided, asked, DECIDED_SHARE_MIN * 100));
    }

    private static Gate faultsProven(RunRecord record, FaultChoice.Request request) {
        List<RunRecord.FaultRecord> faults =
                record.faults().stream()
                        .filter(fault -> request.kinds().contains(fault.planned.kind()))
                        .toList();
        long installed = faults.stream().filter(RunRecord.FaultRecord::wasInstalled).count();
        long unhealed = faults.stream().filter(RunRecord.FaultRecord::mayLast).count();
        boolean onlySkipped =
                !faults.isEmpty() && faults.stream().allMatch(RunRecord.FaultRecord::wasSkipped);
        String words =
                installed
                        + " of "
                        + faults.size()
                        + " "
                        + request.label()
                        + " faults were proven"
                        + (unhealed == 0 ? "" : ", " + unhealed + " not proven to be gone again")
                        + (onlySkipped ? ", skipped: " + reason(faults.getFirst()) : "");
        boolean enough = installed > 0 || (onlySkipped && !request.insisted());
        return new Gate(request.label() + "-proven", enough && unhealed == 0, words);
    }

    private static String reason(RunRecord.FaultRecord fault) {
        return fault.injected == null || fault.injected.evidence().isEmpty()
                ? "no reason given"
                : fault.injected.evidence().getFirst();
    }

    private static void leaderChanged(RunRecord record, List<Gate> gates) {
        List<RunRecord.FaultRecord> aimed =
                record.faults().stream()
                        .filter(
                                fault ->
                                        fault.planned.kind().aimsAtLeader()
                                                && fault.wasInstalled()
                                                && fault.leaderBefore != null
                                                && fault.planned.endMillis()
                                                                - fault.planned.startMillis()
                                                        >= LEADER_FAULT_MILLIS_MIN)
                        .toList();
        if (!aimed.isEmpty()) {
            long changed =
                    aimed.stream()
                            .filter(
                                    fault ->
                                            record.leaderChanges().stream()
                                                    .anyMatch(
                                                            change ->
                                                                    change.timeNanos()
                                                                                    >= fault.askedNanos
                                                                            && change.term()
                                                                                    > fault.termBefore
                                                                            && (fault.healedNanos
                                                                                            < 0
                                                                                    || change
                                                                                                    .timeNanos()
                                                                                            <= fault.healedNanos
                                                                                                    + 2_000_000_000L)))
                            .count();
            gates.add(
                    new Gate(
                            "leader-changed",
                            changed > 0,
                            changed
                                    + " of "
                                    + aimed.size()
                                    + " faults aimed at the leader led to another one"));
        }
    }

    private static Gate finalReads(RunRecord record) {
        boolean done =
                record.finalReadsWanted() >= 0
                        && record.finalReadsDone() == record.finalReadsWanted();
        String words =
                record.finalReadsWanted() < 0
                        ? "the final reads never began"
                        : record.finalReadsDone()
                                + " of "
                                + record.finalReadsWanted()
                                + " keys were read after all faults were gone";
        return new Gate("final-reads", done, words);
    }
}
