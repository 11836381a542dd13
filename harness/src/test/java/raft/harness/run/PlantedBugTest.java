package raft.harness.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarFile;

final class PlantedBugTest {
    private static final Path SOURCES = Path.of("../raft-node/src/main/java");

    @TempDir private Path folder;

    @Test
    void everyPlantedBugStillFitsTheSources() throws IOException {
        for (String id : PlantedBug.ids()) {
            PlantedBug bug = PlantedBug.named(id);
            String text = Files.readString(SOURCES.resolve(bug.file()));
            assertThat(bug.edited(text)).as(id).isNotEqualTo(text);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"L1", "C6"})
    void plantedBugGivesAJarThatStartsLikeTheRightOne(String id) throws Exception {
        Path jar = PlantedBug.named(id).build(SOURCES, folder.resolve("work"));
        try (JarFile packed = new JarFile(jar.toFile())) {
            assertThat(packed.getManifest().getMainAttributes().getValue("Main-Class"))
                    .isEqualTo("raft.node.Main");
            assertThat(packed.getEntry("raft/core/Raft.class")).isNotNull();
        }
    }

    @Test
    void sameEditGivesTheSameJar() throws Exception {
        Path first = PlantedBug.named("L1").build(SOURCES, folder.resolve("a"));
        Path second = PlantedBug.named("L1").build(SOURCES, folder.resolve("b"));
        assertThat(Files.mismatch(first, second)).isEqualTo(-1);
    }

    @Test
    void textThatIsNotThereExactlyOnceIsRefused() {
        PlantedBug gone =
                new PlantedBug("Z1", "nothing", "raft/core/Raft.java", "no such text", "x");
        assertThatThrownBy(() -> gone.build(SOURCES, folder.resolve("c")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("exactly once");
        PlantedBug twice =
                new PlantedBug("Z2", "nothing", "raft/core/Raft.java", "becomeFollower(", "x");
        assertThatThrownBy(() -> twice.build(SOURCES, folder.resolve("d")))
                .hasMessageContaining("exactly once");
    }

    @Test
    void unknownBugIsNamed() {
        assertThatThrownBy(() -> PlantedBug.named("../L1")).hasMessageContaining("../L1");
    }

    @Test
    void bugOfTheUsersOwnIsReadFromAFile() throws Exception {
        Path file = folder.resolve("mine.json");
        Files.writeString(
                file,
                """
                {"id": "mine", "title": "t", "file": "raft/core/Raft.java", "find": "a", "replace": "b"}
                """);
        assertThat(PlantedBug.named(file.toString()))
                .isEqualTo(new PlantedBug("mine", "t", "raft/core/Raft.java", "a", "b"));
    }

    @Test
    void fileThatDescribesNoBugIsNamedWithWhatItLacks() throws Exception {
        Path file = folder.resolve("mine.json");
        assertThatThrownBy(() -> PlantedBug.named(file.toString()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("mine.json cannot be read");
        Files.writeString(file, "{\"id\": \"mine\"");
        assertThatThrownBy(() -> PlantedBug.named(file.toString()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching(".*mine.json is not JSON: line 1, column \\d+");
        for (String other : new String[] {"[]", "[{\"id\": \"mine\"}]", "7", "\"C1\""}) {
            Files.writeString(file, other);
            assertThatThrownBy(() -> PlantedBug.named(file.toString()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageEndingWith(
                            "needs id, title, file, find and replace, each a text; one bug is one"
                                    + " object in a file");
        }
        Files.writeString(file, "null");
        assertThatThrownBy(() -> PlantedBug.named(file.toString()))
                .hasMessageEndingWith("needs id, title, file, find and replace");
        Files.writeString(file, "{\"id\": \"mine\"}");
        assertThatThrownBy(() -> PlantedBug.named(file.toString()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("needs id, title, file, find and replace");
        Files.writeString(
                file,
                """
                {"id": "m", "title": "t", "file": "../../etc/passwd", "find": "a", "replace": "b"}
                """);
        assertThatThrownBy(() -> PlantedBug.named(file.toString()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a file below the node's sources");
    }
}
