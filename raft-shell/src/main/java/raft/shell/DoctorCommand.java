package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import raft.harness.docker.Doctor;

import tools.jackson.databind.json.JsonMapper;

import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** {@code ./raft doctor}: what works on this machine, and what mends the rest. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = {
            "Tries what this software needs and says what works on this machine, what does not, and"
                    + " what mends it.",
            "Exit status 255 when something is missing that a run on containers cannot do without.",
            ""
        })
final class DoctorCommand implements Callable<Integer> {
    /** How the answer is written. */
    enum Output {
        TEXT,
        JSON
    }

    @Option(
            names = "--output",
            defaultValue = "text",
            paramLabel = "text|json",
            description = "(default: text)")
    Output output = Output.TEXT;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() {
        List<Doctor.Finding> findings = Doctor.examine();
        boolean usable = findings.stream().allMatch(f -> f.works() || !f.required());
        PrintWriter out = spec.commandLine().getOut();
        switch (output) {
            case JSON ->
                    out.println(
                            JsonMapper.shared()
                                    .writeValueAsString(
                                            Map.of("usable", usable, "findings", findings)));
            case TEXT -> findings.forEach(finding -> out.println(row(finding)));
        }
        return usable ? 0 : Main.EXIT_FAILURE;
    }

    private static String row(Doctor.Finding finding) {
        String verdict = finding.works() ? "ok     " : finding.required() ? "MISSING" : "limited";
        String line = String.format("%s  %-30s %s", verdict, finding.what(), finding.detail());
        return finding.mend().isEmpty() ? line : line + "\n         mend: " + finding.mend();
    }
}
