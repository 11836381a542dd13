package raft.harness.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.model.Models;
import raft.harness.model.Samples;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Pattern;

class HistoryFilesTest {
    @TempDir private Path folder;

    private static final HistoryHeader HEADER =
            new HistoryHeader(1, "r1", "register", "cas-register", List.of("n1", "n2"), -7);

    private static HistoryEvent event(
            long index, long process, HistoryEvent.Type type, Value value) {
        return new HistoryEvent(
                index, index * 5, process, type, "write", Value.NIL, value, null, null, 0, 0);
    }

    @Test
    void everyFieldSurvivesWritingAndReading() throws IOException {
        var events =
                List.of(
                        new HistoryEvent(
                                0,
                                3,
                                4,
                                HistoryEvent.Type.INVOKE,
                                "cas",
                                Value.of("k\"\\\n\ud83d"),
                                Value.of(Value.NIL, Value.of(Long.MIN_VALUE)),
                                "n1",
                                null,
                                0,
                                0),
                        new HistoryEvent(
                                1,
                                9,
                                HistoryEvent.NEMESIS,
                                HistoryEvent.Type.INFO,
                                "kill",
                                Value.NIL,
                                Value.of(Value.of("n1"), new Value.Bool(true)),
                                null,
                                "no",
                                0,
                                0),
                        new HistoryEvent(
                                2,
                                12,
                                4,
                                HistoryEvent.Type.INFO,
                                "cas",
                                Value.of("k\"\\\n\ud83d"),
                                Value.of("ä €"),
                                "n2",
                                "timeout",
                                8,
                                77));
        Path file = folder.resolve("h.jsonl");
        try (var writer = new HistoryWriter(file, HEADER)) {
            for (HistoryEvent event : events) {
                writer.append(event);
                // Nothing is held back: a reader sees each line at once.
                assertThat(HistoryReader.read(file).events()).endsWith(event);
            }
        }
        assertThat(HistoryReader.read(file)).isEqualTo(new History(HEADER, events));
        HistoryWriter.write(file, new History(HEADER, events));
        assertThat(HistoryReader.read(file)).isEqualTo(new History(HEADER, events));
    }

    @Test
    void tornLastLineIsLeftOutWithAWarning() throws IOException {
        Path file = folder.resolve("torn.jsonl");
        var history =
                new History(
                        HEADER,
                        List.of(
                                event(0, 0, HistoryEvent.Type.INVOKE, Value.of(1)),
                                event(1, 0, HistoryEvent.Type.OK, Value.of(1))));
        HistoryWriter.write(file, history);
        byte[] whole = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(whole, whole.length - 9));
        List<String> warnings = new ArrayList<>();
        assertThat(HistoryReader.read(file, warnings::add).events()).hasSize(1);
        assertThat(warnings).singleElement().asString().contains(file + ":3:").contains("torn");
    }

    @Test
    void errorsNameFileLineAndColumn() throws IOException {
        String header = "{\"schema\":1,\"run\":\"\",\"model\":\"register\"}\n";
        reads(header + "{\"process\":0,\"type\":\"invoke\",\"f\":5}\n{}", ":2:34: \"f\" must be");
        reads(header + "{\"process\":0,\"type\":\"maybe\",\"f\":\"read\"}\n{}", ":2:21: \"type\"");
        reads(header + "{\"process\":0,\"type\":\"ok\",\"f\":\"read\"}", "has invoked nothing");
        reads(header + "{\"process\":0 \"type\"}\n{}", ":2:14: ',' or '}' was expected");
        reads("{\"schema\":9}\n", "schema 9 is not known");
        reads("hello\n", ":1:1: this is no history");
        reads("", "empty");
        reads("{:process 0, :type :invoke, :f :read, :value [1}", ":1:48:");
        reads("{:process 0, :type :ok, :f :read, :value 1}", "has invoked nothing");
        reads("[{\"call\": 5, \"return\": 3, \"input\": {\"op\": 0}}]", "returns before");
    }

    private void reads(String text, String error) throws IOException {
        Path file = folder.resolve("bad");
        Files.writeString(file, text);
        assertThatThrownBy(() -> HistoryFormat.read(file, w -> {}))
                .isInstanceOf(HistoryFormatException.class)
                .hasMessageStartingWith(file + ":")
                .hasMessageContaining(error);
    }

    /** Whatever happens to a file, it is read or refused with line and column, nothing else. */
    @Test
    void mutatedAndTruncatedFilesAreReadOrRefusedClearly() throws IOException {
        for (HistoryFormat format : HistoryFormat.values()) {
            for (long seed = 0; seed < 500; seed++) {
                var random = new SplittableRandom(seed);
                var history = new History(HEADER, Samples.history(Models.CAS_REGISTER, random, 8));
                Path file = folder.resolve("mutated");
                HistoryFormat.write(file, format, history);
                Files.write(file, mutated(Files.readAllBytes(file), random));
                try {
                    HistoryFormat.read(file, w -> {});
                } catch (HistoryFormatException e) {
                    assertThat(e.getMessage())
                            .as(format + " seed " + seed)
                            .matches("(?s)" + Pattern.quote(file.toString()) + ":\\d+:\\d+: .+");
                }
            }
        }
    }

    private static byte[] mutated(byte[] bytes, SplittableRandom random) {
        if (random.nextInt(3) == 0) {
            return Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
        }
        byte[] interesting = "{}[]\"\\:,n0-\n#(é".getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i <= random.nextInt(3); i++) {
            bytes[random.nextInt(bytes.length)] = interesting[random.nextInt(interesting.length)];
        }
        return bytes;
    }

    @Test
    void otherFormatsKeepWhatMatters() throws IOException {
        for (long seed = 0; seed < 200; seed++) {
            var events = Samples.history(Models.CAS_REGISTER, new SplittableRandom(seed), 8);
            Path file = folder.resolve("other");
            for (HistoryFormat format : List.of(HistoryFormat.EDN, HistoryFormat.JEPSEN_LOG)) {
                HistoryFormat.write(file, format, new History(HEADER, events));
                assertThat(HistoryFormat.detect(file)).isEqualTo(format);
                assertThat(essence(HistoryFormat.read(file, w -> {}).events()))
                        .as(format + " seed " + seed)
                        .isEqualTo(essence(events));
            }
        }
    }

    private static List<String> essence(List<HistoryEvent> events) {
        return events.stream()
                .map(e -> e.process() + " " + e.type() + " " + e.f() + " " + e.value())
                .toList();
    }
}
