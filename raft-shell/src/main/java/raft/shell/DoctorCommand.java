package raft.shell;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

import raft.harness.docker.Doctor;
import raft.harness.docker.Doctor.Finding;
import raft.harness.docker.Doctor.State;
import raft.harness.docker.ProjectFolder;

import tools.jackson.databind.json.JsonMapper;

import java.io.File;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/** {@code ./raft doctor}: what works on this machine, and what mends the rest. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Tries everything that './raft test' needs and says which command mends what is"
                    + " missing.",
            ""
        },
        footer = {
            "",
            "Exit status: 0 './raft test' can run here, 255 something needed is missing."
        })
final class DoctorCommand implements Callable<Integer> {
    private static final int JAVA_FEATURE_MIN = 25;
    private static final int COLUMNS = 80;
    private static final int INDENT = 23;

    @Option(
            names = "--output",
            defaultValue = "text",
            paramLabel = "text|json",
            description = "(default: text)")
    OutputForm output = OutputForm.TEXT;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public Integer call() {
        Path nodeJar = Home.nodeJar();
        List<Finding> findings = new ArrayList<>();
        findings.add(
                jdk(Runtime.version().feature(), Path.of(System.getProperty("java.home", ""))));
        findings.add(maven(System.getenv().getOrDefault("PATH", ""), Files.isReadable(nodeJar)));
        findings.add(
                Doctor.writableDisk("disk-runs", Home.folder().resolve("histories").normalize()));
        findings.add(Doctor.writableDisk("disk-cache", ProjectFolder.cache()));
        findings.addAll(Doctor.examine(nodeJar));
        findings.add(browser(System.getenv().getOrDefault("PATH", "")));
        boolean fit = isFit(findings);
        PrintWriter out = spec.commandLine().getOut();
        switch (output) {
            case JSON -> out.println(json(findings, fit));
            case TEXT -> text(findings, fit).forEach(out::println);
        }
        out.flush();
        return fit ? 0 : Main.EXIT_FAILURE;
    }

    /** Whether nothing is missing that the main job needs. */
    static boolean isFit(List<Finding> findings) {
        return findings.stream()
                .noneMatch(finding -> finding.needed() && finding.state() == State.MISSING);
    }

    static Finding jdk(int feature, Path javaHome) {
        boolean whole =
                feature >= JAVA_FEATURE_MIN && Files.isExecutable(javaHome.resolve("bin/jlink"));
        return new Finding(
                "jdk",
                whole ? State.OK : State.MISSING,
                true,
                "Java " + feature + " in " + javaHome + (whole ? "" : ", needed is a whole JDK 25"),
                whole ? "" : "install a JDK 25 (Temurin, say) and set RAFT_JAVA_HOME to it");
    }

    /** Needed only where something is still to be built. */
    static Finding maven(String searchPath, boolean built) {
        return Stream.of(searchPath.split(File.pathSeparator))
                .filter(folder -> !folder.isBlank())
                .map(folder -> Path.of(folder, "mvn"))
                .filter(Files::isExecutable)
                .findFirst()
                .map(mvn -> new Finding("maven", State.OK, !built, mvn.toString(), ""))
                .orElseGet(
                        () ->
                                new Finding(
                                        "maven",
                                        State.MISSING,
                                        !built,
                                        built
                                                ? "not found; everything is built, but changes need"
                                                        + " it"
                                                : "not found, and nothing is built yet",
                                        "apt-get install maven"));
    }

    /** Only the tests that look at pages as a person would need one. */
    static Finding browser(String searchPath) {
        return Stream.of(searchPath.split(File.pathSeparator))
                .filter(folder -> !folder.isBlank())
                .flatMap(
                        folder ->
                                Stream.of("chromium", "chromium-browser", "google-chrome")
                                        .map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst()
                .map(found -> new Finding("chromium", State.OK, false, found.toString(), ""))
                .orElseGet(
                        () ->
                                new Finding(
                                        "chromium",
                                        State.MISSING,
                                        false,
                                        "not found; tests of pages in a browser are skipped",
                                        "apt-get install chromium"));
    }

    static List<String> text(List<Finding> findings, boolean fit) {
        List<String> lines = new ArrayList<>();
        for (Finding finding : findings) {
            String state = finding.state().name().toLowerCase(Locale.ROOT);
            String head = String.format("%-8s %-13s ", state, finding.name());
            addWrapped(head, finding.found(), lines);
            if (!finding.remedy().isEmpty()) {
                String use = finding.needed() ? "to mend: " : "to mend (not needed): ";
                addWrapped(" ".repeat(INDENT), use + finding.remedy(), lines);
            }
        }
        lines.add("");
        lines.add(
                fit
                        ? "./raft test can run here"
                        : "./raft test cannot run here before what is missing is mended");
        return lines;
    }

    /** Breaks between words, so that nothing is wider than a usual terminal. */
    private static void addWrapped(String head, String words, List<String> lines) {
        StringBuilder line = new StringBuilder(head);
        for (String word : words.split(" ", -1)) {
            boolean first = line.toString().isBlank() || line.length() == head.length();
            if (!first && line.length() + 1 + word.length() > COLUMNS) {
                lines.add(line.toString());
                line = new StringBuilder(" ".repeat(INDENT));
                first = true;
            }
            line.append(first ? "" : " ").append(word);
        }
        lines.add(line.toString());
    }

    static String json(List<Finding> findings, boolean fit) {
        List<Map<String, Object>> checks = new ArrayList<>();
        for (Finding finding : findings) {
            Map<String, Object> check = new LinkedHashMap<>();
            check.put("name", finding.name());
            check.put("state", finding.state().name().toLowerCase(Locale.ROOT));
            check.put("needed", finding.needed());
            check.put("found", finding.found());
            check.put("remedy", finding.remedy());
            checks.add(check);
        }
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("fit", fit);
        all.put("checks", checks);
        return JsonMapper.shared().writeValueAsString(all);
    }
}
