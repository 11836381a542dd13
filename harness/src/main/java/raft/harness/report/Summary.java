package raft.harness.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A run's results in words, for a terminal of 80 columns and more. */
public final class Summary {
    private Summary() {}

    /** The lines to print, the verdict last but for where the run was saved. */
    public static List<String> lines(Results results) {
        List<String> lines = new ArrayList<>();
        if (results.operations() > 0) {
            addWhatHappened(results, lines);
        }
        if (results.explanation() != null) {
            lines.add("");
            lines.add("Why this is impossible:");
            results.explanation().lines().forEach(line -> lines.add("  " + line));
        }
        if (results.counterexample() != null) {
            lines.add("");
            lines.add("The operations concerned:");
            results.counterexample().forEach(line -> lines.add("  " + line));
        }
        if (!lines.isEmpty()) {
            lines.add("");
        }
        lines.add(verdict(results));
        results.reasons().forEach(reason -> lines.add("  " + reason));
        lines.add("Saved in " + results.run());
        if (results.operations() > 0 && !results.verdict().equals(Outcome.VALID.label())) {
            lines.add("To repeat: " + results.repeat());
        }
        return lines;
    }

    private static void addWhatHappened(Results results, List<String> lines) {
        results.counts()
                .forEach(
                        (f, byOutcome) ->
                                lines.add(
                                        String.format(
                                                "  %-6s %7d   ok %d, failed %d, unknown %d",
                                                f,
                                                count(byOutcome, "invoke"),
                                                count(byOutcome, "ok"),
                                                count(byOutcome, "fail"),
                                                count(byOutcome, "info"))));
        if (!results.faults().isEmpty()) {
            lines.add("");
            lines.add(
                    "  fault                          from      to  proven   gone     no success"
                            + " back after");
            for (Results.FaultResult fault : results.faults()) {
                lines.add(
                        String.format(
                                "  %-26s %8s %7s  %-8s %-8s %10s %10s",
                                fault.kind(),
                                seconds(fault.askedMillis()),
                                seconds(fault.healAskedMillis()),
                                proven(fault.injected()),
                                proven(fault.healed()),
                                seconds(fault.longestUnavailableMillis()),
                                seconds(fault.recoveryMillis())));
                if (!proven(fault.injected()).equals("yes") && !fault.injectEvidence().isEmpty()) {
                    lines.add("    " + fault.injectEvidence().getLast());
                }
            }
        }
        lines.add("");
        lines.add(
                String.format(
                        "  %d leaders seen, longest time without a success %s",
                        results.leaders().size(),
                        seconds(results.availability().longestUnavailableMillis())));
        long recoveryMillis = results.availability().recoveryMillis();
        lines.add(
                recoveryMillis < 0
                        ? "  no success after the last heal"
                        : "  first success " + seconds(recoveryMillis) + " after the last heal");
        if (!results.verdict().equals(Outcome.ERROR.label())) {
            results.gates().stream()
                    .filter(gate -> !gate.passed())
                    .forEach(gate -> lines.add("  NOT ENOUGH: " + gate.words()));
        }
    }

    private static String verdict(Results results) {
        for (Outcome outcome : Outcome.values()) {
            if (outcome.label().equals(results.verdict())) {
                return switch (outcome) {
                    case VALID ->
                            String.format(
                                    "VALID: %d operations are linearizable (checked in %.2f s).",
                                    results.operations(), results.checkSeconds());
                    case VIOLATION ->
                            results.linearizability().equals("violation")
                                    ? "VIOLATION: the history is not linearizable; the system under"
                                            + " test is wrong."
                                    : "VIOLATION: nodes broke their own invariants; the system"
                                            + " under test is wrong.";
                    case UNKNOWN -> "UNKNOWN: the check ended before it could tell.";
                    case INSUFFICIENT_EVIDENCE ->
                            "NOT ENOUGH EVIDENCE: nothing wrong was found, but too little was"
                                    + " tried.";
                    case ERROR ->
                            "ERROR: the harness or its environment failed; no verdict on the"
                                    + " system.";
                };
            }
        }
        throw new IllegalStateException("no outcome is called " + results.verdict());
    }

    private static long count(Map<String, Long> byOutcome, String outcome) {
        return byOutcome.getOrDefault(outcome, 0L);
    }

    private static String proven(String status) {
        return switch (status) {
            case "installed" -> "yes";
            case "indeterminate" -> "unproven";
            default -> status;
        };
    }

    private static String seconds(long millis) {
        return millis < 0 ? "-" : String.format("%.1f s", millis / 1e3);
    }
}
