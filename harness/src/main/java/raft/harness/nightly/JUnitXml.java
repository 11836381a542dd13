package raft.harness.nightly;

import raft.harness.report.Html;
import raft.harness.report.Outcome;

import java.util.List;
import java.util.Locale;

/**
 * A night as CI reads it. A violation is a failure, a failed harness an error; what is unknown or
 * has too little evidence is skipped, since it was neither passed nor failed.
 */
final class JUnitXml {
    private JUnitXml() {}

    static String of(NightSummary summary, List<NightRun> runs) {
        StringBuilder cases = new StringBuilder();
        int failures = 0;
        int errors = 0;
        int skipped = 0;
        for (NightRun run : runs) {
            String element = element(run);
            failures += element.startsWith("<failure") ? 1 : 0;
            errors += element.startsWith("<error") ? 1 : 0;
            skipped += element.startsWith("<skipped") ? 1 : 0;
            cases.append("  <testcase classname=\"")
                    .append(Html.text(run.cluster() + "." + run.workload()))
                    .append("\" name=\"")
                    .append(Html.text(run.cell() + ", seed " + run.seed()))
                    .append(String.format(Locale.ROOT, "\" time=\"%.3f\">", run.wallSeconds()))
                    .append(element)
                    .append("</testcase>\n");
        }
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                + String.format(
                        Locale.ROOT,
                        "<testsuite name=\"raft nightly %s\" tests=\"%d\" failures=\"%d\""
                                + " errors=\"%d\" skipped=\"%d\" time=\"%.3f\">%n",
                        Html.text(summary.night()),
                        runs.size(),
                        failures,
                        errors,
                        skipped,
                        summary.wallSeconds())
                + cases
                + "</testsuite>\n";
    }

    private static String element(NightRun run) {
        String words = run.why().isEmpty() ? run.verdict() : run.why();
        String body = Html.text(String.join("\n", run.reasons()) + "\nTo repeat: " + run.repeat());
        String message = " message=\"" + Html.text(words.replace('\n', ' ')) + "\">" + body;
        if (run.isCanary()) {
            return run.isViolation()
                    ? ""
                    : "<failure type=\"canary\" message=\"the planted bug was not found\">"
                            + body
                            + "</failure>";
        }
        if (run.isValid()) {
            return "";
        }
        if (run.isViolation()) {
            return "<failure type=\"violation\"" + message + "</failure>";
        }
        return run.verdict().equals(Outcome.ERROR.label())
                ? "<error type=\"error\"" + message + "</error>"
                : "<skipped" + message + "</skipped>";
    }
}
