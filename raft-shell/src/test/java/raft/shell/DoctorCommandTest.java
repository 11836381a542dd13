package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import picocli.CommandLine;

import raft.harness.docker.Doctor;
import raft.harness.docker.Doctor.Finding;
import raft.harness.docker.Doctor.State;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

final class DoctorCommandTest {
    private static final Finding GOOD = new Finding("jdk", State.OK, true, "Java 25", "");
    private static final Finding BAD =
            new Finding("engine", State.MISSING, true, "none answers", "docker/engine up");
    private static final Finding SPARE =
            new Finding("sch_netem", State.MISSING, false, "no delay", "modprobe sch_netem");
    private static final Finding UNSEEN =
            new Finding("iptables", State.UNKNOWN, true, "no engine to ask", "");

    @TempDir private Path folder;

    @Test
    void onlyWhatIsNeededAndMissingMakesAMachineUnfit() {
        assertThat(DoctorCommand.isFit(List.of(GOOD, SPARE, UNSEEN))).isTrue();
        assertThat(DoctorCommand.isFit(List.of(GOOD, BAD))).isFalse();
    }

    @Test
    void everyLineSaysOkOrMissingAndTheCommandThatMendsIt() {
        assertThat(DoctorCommand.text(List.of(GOOD, BAD, SPARE), false))
                .containsExactly(
                        "ok       jdk           Java 25",
                        "missing  engine        none answers",
                        "                       to mend: docker/engine up",
                        "missing  sch_netem     no delay",
                        "                       to mend (not needed): modprobe sch_netem",
                        "",
                        "./raft test cannot run here before what is missing is mended");
    }

    @Test
    void longWordsAreBrokenAtEightyColumns() {
        Finding wordy =
                new Finding(
                        "sch_netem",
                        State.MISSING,
                        false,
                        "delay, duplication and reordering: not supported by this kernel (Error:"
                                + " Specified qdisc kind is unknown.)",
                        "modprobe sch_netem; without it these are recorded as skipped, which costs"
                                + " nothing else");
        List<String> lines = DoctorCommand.text(List.of(wordy), true);
        assertThat(lines).allMatch(line -> line.length() <= 80);
        assertThat(String.join(" ", lines).replaceAll("\\s+", " "))
                .contains(wordy.found())
                .contains(wordy.remedy());
    }

    @Test
    void browserIsFoundByAnyOfItsNames() throws Exception {
        assertThat(DoctorCommand.browser("/nowhere").remedy())
                .isEqualTo("apt-get install chromium");
        assertThat(Files.createFile(folder.resolve("google-chrome")).toFile().setExecutable(true))
                .isTrue();
        assertThat(DoctorCommand.browser("/nowhere:" + folder).state()).isEqualTo(State.OK);
    }

    @Test
    void jsonHoldsTheSameFacts() {
        JsonNode json = JsonMapper.shared().readTree(DoctorCommand.json(List.of(GOOD, BAD), false));
        assertThat(json.get("fit").asBoolean()).isFalse();
        JsonNode engine = json.get("checks").get(1);
        assertThat(engine.get("name").asString()).isEqualTo("engine");
        assertThat(engine.get("state").asString()).isEqualTo("missing");
        assertThat(engine.get("needed").asBoolean()).isTrue();
        assertThat(engine.get("remedy").asString()).isEqualTo("docker/engine up");
    }

    @Test
    void anOlderJavaOrOneWithoutItsToolsIsMissing() throws Exception {
        assertThat(DoctorCommand.jdk(17, folder).state()).isEqualTo(State.MISSING);
        assertThat(DoctorCommand.jdk(25, folder).state()).isEqualTo(State.MISSING);
        Path jlink =
                Files.createFile(Files.createDirectory(folder.resolve("bin")).resolve("jlink"));
        assertThat(jlink.toFile().setExecutable(true)).isTrue();
        assertThat(DoctorCommand.jdk(25, folder).state()).isEqualTo(State.OK);
        assertThat(DoctorCommand.jdk(26, folder).state()).isEqualTo(State.OK);
        assertThat(DoctorCommand.jdk(24, folder).state()).isEqualTo(State.MISSING);
    }

    @Test
    void mavenIsNeededOnlyWhereSomethingIsToBeBuilt() throws Exception {
        assertThat(DoctorCommand.isFit(List.of(DoctorCommand.maven("", false)))).isFalse();
        assertThat(DoctorCommand.isFit(List.of(DoctorCommand.maven("", true)))).isTrue();
        assertThat(Files.createFile(folder.resolve("mvn")).toFile().setExecutable(true)).isTrue();
        Finding found = DoctorCommand.maven("/nowhere:" + folder, false);
        assertThat(found.state()).isEqualTo(State.OK);
        assertThat(found.found()).isEqualTo(folder + "/mvn");
    }

    @Test
    void aFolderThatDoesNotExistYetIsJudgedByTheOneAboveIt() {
        Finding found = Doctor.writableDisk("disk-runs", folder.resolve("a/b"));
        assertThat(found.state()).isEqualTo(State.OK);
        assertThat(found.found()).endsWith("MB free at " + folder.resolve("a/b"));
    }

    /** On containers: whatever the kernel can, the main job's needs are met and proven. */
    @Test
    @Tag("containers")
    void machineWithAnEngineIsFit() {
        TestCommandContainersTest.anEngineAnswers();
        StringWriter out = new StringWriter();
        CommandLine commandLine = Main.commandLine();
        commandLine.setOut(new PrintWriter(out, true));
        int status = commandLine.execute("doctor", "--output", "json");
        assertThat(status).as(out.toString()).isZero();
        Map<String, String> states = new TreeMap<>();
        JsonMapper.shared()
                .readTree(out.toString())
                .get("checks")
                .forEach(
                        check ->
                                states.put(
                                        check.get("name").asString(),
                                        check.get("state").asString()));
        assertThat(states)
                .containsEntry("jdk", "ok")
                .containsEntry("engine", "ok")
                .containsEntry("images", "ok")
                .containsEntry("iptables", "ok")
                .containsEntry("freezer", "ok")
                .containsEntry("faketime", "ok")
                .containsEntry("libdisk", "ok")
                .containsKeys("maven", "disk-runs", "disk-cache", "disk-engine", "cgroup")
                .containsKeys("ip6tables", "ipv6", "xt_statistic", "nfqueue", "sch_tbf")
                .containsKeys("sch_htb", "cls_u32", "cpu-quota", "memory-limit", "blkio")
                .containsKeys("memory", "cores", "etcd", "chromium");
    }
}
