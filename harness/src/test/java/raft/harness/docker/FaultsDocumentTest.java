package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import raft.harness.nemesis.FaultKind;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** docs/faults.md names every kind of fault once, in its family, with a test that there is. */
final class FaultsDocumentTest {
    private static final Pattern ROW =
            Pattern.compile("\\| `([a-z-]+)` \\| ([^|]+) \\| `(\\w+)\\.(\\w+)` \\|");

    @Test
    void everyKindHasATestOnContainersThatShowsItsEffect() throws Exception {
        List<String> kinds = new ArrayList<>();
        String family = "";
        for (String line :
                Files.readAllLines(ProjectFolder.find().resolve("docs").resolve("faults.md"))) {
            if (line.startsWith("## ")) {
                family = line.substring(3);
            }
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                kinds.add(row.group(1));
                assertThat(FaultKind.ofLabel(row.group(1)).family().label())
                        .as(row.group(1))
                        .isEqualTo(family);
                Class<?> test = Class.forName("raft.harness.docker." + row.group(3));
                assertThat(test.getAnnotation(Tag.class).value()).isEqualTo("containers");
                assertThat(test.getDeclaredMethods())
                        .as(row.group(3))
                        .extracting(java.lang.reflect.Method::getName)
                        .contains(row.group(4));
            }
        }
        assertThat(kinds)
                .containsExactlyElementsOf(
                        Arrays.stream(FaultKind.values()).map(FaultKind::label).toList());
    }
}
