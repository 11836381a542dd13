package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.nemesis.FaultKind;
import raft.harness.system.SystemUnderTest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

import javax.tools.ToolProvider;

/** docs/systems.md shows nothing but the example's source, and that compiles without a warning. */
final class SystemsDocumentTest {
    private static final Path HOME = CommandRun.HOME;
    private static final Path EXAMPLE = HOME.resolve("docker/examples/system/FileStore.java");

    @TempDir private Path folder;

    @Test
    void everyPieceOfJavaInTheDocumentIsOfTheExample() throws IOException {
        String source = withoutIndentation(Files.readString(EXAMPLE));
        List<String> pieces =
                Pattern.compile("(?s)```java\n(.*?)```")
                        .matcher(Files.readString(HOME.resolve("docs/systems.md")))
                        .results()
                        .map(found -> withoutIndentation(found.group(1)))
                        .toList();
        assertThat(pieces)
                .hasSizeGreaterThan(5)
                .allSatisfy(piece -> assertThat(source).contains(piece));
    }

    private static String withoutIndentation(String code) {
        return code.replaceAll("(?m)^ +", "");
    }

    @Test
    void documentNamesEveryMethodThatASystemHas() throws IOException {
        String document = Files.readString(HOME.resolve("docs/systems.md"));
        assertThat(SystemUnderTest.class.getDeclaredMethods())
                .extracting(java.lang.reflect.Method::getName)
                .filteredOn(name -> !name.contains("$"))
                .allSatisfy(name -> assertThat(document).contains("`" + name + "`"));
    }

    @Test
    void exampleCompilesWithoutAWarningAndIsLoaded() throws IOException {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        int status =
                ToolProvider.getSystemJavaCompiler()
                        .run(
                                null,
                                said,
                                said,
                                "-Xlint:all,-processing,-classfile",
                                "-Werror",
                                "-proc:none",
                                "-cp",
                                System.getProperty("java.class.path"),
                                "-d",
                                folder.toString(),
                                EXAMPLE.toString());
        assertThat(status).as(said.toString(StandardCharsets.UTF_8)).isZero();
        Path services = Files.createDirectories(folder.resolve("META-INF/services"));
        Files.writeString(services.resolve(SystemUnderTest.class.getName()), "FileStore");
        SystemUnderTest system =
                SystemLoader.load("file-store", folder.toString(), Map.of("keep", "memory"));
        assertThat(system.serves("cas")).isTrue();
        assertThat(system.cannot()).containsKey(FaultKind.Family.PARTITION);
    }
}
