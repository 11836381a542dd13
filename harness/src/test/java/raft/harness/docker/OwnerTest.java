package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Only what a dead process of this machine made is stale; in doubt an object stays. */
final class OwnerTest {
    private static final Owner ME = Owner.here("r1");

    private static Map<String, String> with(String label, String value) {
        Map<String, String> labels = new LinkedHashMap<>(ME.labels());
        labels.put(label, value);
        return labels;
    }

    @Test
    void labelsNameTheOwner() {
        assertThat(Owner.of(ME.labels())).isEqualTo(ME);
        assertThat(ME.pid()).isEqualTo(ProcessHandle.current().pid());
        assertThat(ME.started()).isPositive();
    }

    @Test
    void thisProcessLives() {
        assertThat(ME.life(ME)).isEqualTo(Owner.Life.LIVES);
        assertThat(Cleaner.isStale(ME.labels(), ME)).isFalse();
    }

    @Test
    void anEndedProcessIsDead() throws IOException, InterruptedException {
        Process child =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--version")
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
        child.waitFor();
        Map<String, String> labels = with(Owner.PID, Long.toString(child.pid()));
        assertThat(Cleaner.isStale(labels, ME)).isTrue();
    }

    @Test
    void aNumberThatIsUsedAgainDoesNotKeepTheDeadAlive() {
        assertThat(Cleaner.isStale(with(Owner.STARTED, Long.toString(ME.started() - 1)), ME))
                .isTrue();
    }

    @Test
    void nothingSurvivesABoot() {
        assertThat(Cleaner.isStale(with(Owner.BOOT, "before"), ME)).isTrue();
    }

    @Test
    void otherMachinesAndNamespacesAreNotJudged() {
        assertThat(Cleaner.isStale(with(Owner.HOST, "other"), ME)).isFalse();
        assertThat(Cleaner.isStale(with(Owner.NAMESPACE, "pid:[1]"), ME)).isFalse();
    }

    @Test
    void labelsThatAreNotOursOrNotWholeNameNobody() {
        assertThat(Owner.of(null)).isNull();
        assertThat(Owner.of(Map.of("app", "raftlab"))).isNull();
        assertThat(Owner.of(with(Owner.PID, "x"))).isNull();
        assertThat(Cleaner.isStale(null, ME)).isFalse();
        assertThat(Cleaner.isStale(with(Owner.PID, "x"), ME)).isFalse();
    }

    @Test
    void cleaningEverythingStopsAtWhatBearsNoRunOfOurs() {
        assertThat(Cleaner.isOfAnyRun(ME.labels())).isTrue();
        assertThat(Cleaner.isOfAnyRun(null)).isFalse();
        assertThat(Cleaner.isOfAnyRun(Map.of())).isFalse();
        assertThat(Cleaner.isOfAnyRun(Map.of("raftlab.runner", "x", "name", "raftlab-r1-n1")))
                .isFalse();
    }
}
