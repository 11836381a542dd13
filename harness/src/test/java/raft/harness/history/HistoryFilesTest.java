package raft.harness.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.checker.Budget;
import raft.harness.checker.Checker;
import raft.harness.checker.Verdict;
import raft.harness.model.Model;
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
    private static final int MUTATED_COUNT = 10_000;

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

    /** Two different ones would be the same value, and a stale read of one pass for the other. */
    @Test
    void bytesThatAreNotUtf8AreRefused() throws IOException {
        String header = "{\"schema\":1,\"run\":\"\",\"model\":\"register\"}\n";
        String event = "{\"process\":0,\"type\":\"invoke\",\"f\":\"write\",\"value\":\"\u00ff\"}\n";
        String edn = "\n{:process 0, :type :invoke, :f :write, :value \"\u00ff\"}\n";
        Path file = folder.resolve("latin");
        for (String text : List.of(header + event, header + event + event, edn)) {
            Files.write(file, text.getBytes(StandardCharsets.ISO_8859_1));
            assertThatThrownBy(() -> HistoryFormat.read(file, w -> {}))
                    .isInstanceOf(HistoryFormatException.class)
                    .hasMessageMatching(".*:2:\\d+: these bytes are not UTF-8");
        }
    }

    private void reads(String text, String error) throws IOException {
        Path file = folder.resolve("bad");
        Files.writeString(file, text);
        assertThatThrownBy(() -> HistoryFormat.read(file, w -> {}))
                .isInstanceOf(HistoryFormatException.class)
                .hasMessageStartingWith(file + ":")
                .hasMessageContaining(error);
    }

    /**
     * Whatever happens to a file, it is read or refused with line and column, nothing else, whole
     * or event by event; and what can be read can be judged, or the model refuses it in words.
     */
    @Test
    void mutatedAndTruncatedFilesAreReadOrRefusedClearly() throws IOException {
        int read = 0;
        for (long seed = 0; seed < MUTATED_COUNT; seed++) {
            var random = new SplittableRandom(seed);
            HistoryFormat format = HistoryFormat.values()[(int) (seed % 4)];
            Model model = seed % 8 < 4 ? Models.CAS_REGISTER : any(random);
            Path file = folder.resolve("mutated");
            var history = new History(HEADER, Samples.history(model, random, 8));
            HistoryFormat.write(file, format, history);
            byte[] bytes = Files.readAllBytes(file);
            if (format == HistoryFormat.EDN && random.nextBoolean()) {
                bytes = JEPSEN.getBytes(StandardCharsets.UTF_8);
            }
            Files.write(file, mutated(bytes, random));
            try {
                History back = HistoryFormat.read(file, w -> {});
                read++;
                if (seed % 5 == 0) {
                    assertThat(streamed(file)).as("seed " + seed).isEqualTo(back);
                }
                Checker.check(back, model, Budget.DEFAULT);
            } catch (HistoryFormatException e) {
                assertThat(e.getMessage())
                        .as(format + " seed " + seed)
                        .matches("(?s)" + Pattern.quote(file.toString()) + ":\\d+:\\d+: .+");
                if (seed % 5 == 0) {
                    assertThatThrownBy(() -> streamed(file)).hasMessage(e.getMessage());
                }
            } catch (IllegalArgumentException e) {
                assertThat(e).as("seed " + seed).hasMessageMatching("(?s)event -?\\d+: .+");
            }
        }
        assertThat(read).isBetween(MUTATED_COUNT / 20, MUTATED_COUNT * 19 / 20);
    }

    private static History streamed(Path path) throws IOException {
        List<HistoryHeader> headers = new ArrayList<>();
        List<HistoryEvent> events = new ArrayList<>();
        try (var file = new HistoryFile(path, HistoryFormat.detect(path))) {
            // The second time it knows what it learnt by the first.
            for (int time = 1; time <= 2; time++) {
                headers.clear();
                events.clear();
                file.stream(
                        new EventSink() {
                            @Override
                            public void header(HistoryHeader header) {
                                headers.add(header);
                            }

                            @Override
                            public void event(HistoryEvent event) {
                                events.add(event);
                            }
                        },
                        () -> {});
            }
        }
        return new History(headers.getFirst(), events);
    }

    /** A file of one line, whose pieces end anywhere and whose operations are in no order. */
    @Test
    void longFilesAreReadInPiecesAndSortedInParts() throws IOException {
        Path file = folder.resolve("long");
        var edn = new StringBuilder("[");
        var operations = new StringBuilder("[");
        String longest = "x".repeat(200_000);
        for (int i = 0; i < 70_000; i++) {
            String value = i == 40_000 ? longest : "é" + i;
            edn.append("{:process 0 :type :invoke :f :write :value \"" + value + "\"} ");
            edn.append("{:process 0 :type :ok :f :write}");
            long call = (i * 31L) % 70_000;
            operations.append("{\"call\":" + call + ",\"return\":" + (call + 5));
            operations.append(",\"input\":{\"op\":1,\"value\":\"" + value + "\"}},");
        }
        int ednLength = edn.length();
        Files.writeString(file, edn + "]");
        assertThat(streamed(file)).isEqualTo(HistoryFormat.read(file, w -> {}));
        reads(edn + "{:process 1}", ":1:" + (ednLength + 1) + ": this operation has no :type");

        operations.setLength(operations.length() - 1);
        Files.writeString(file, operations + "]");
        assertThat(streamed(file)).isEqualTo(HistoryFormat.read(file, w -> {}));
        assertThat(streamed(file).events()).isSortedAccordingTo(OperationsJson.ORDER);
        int bad = operations.length() + 2;
        reads(operations + "\n,{}]", ":2:2: this operation has no \"input\"");
        reads(operations + ",{}]", ":1:" + bad + ": this operation has no \"input\"");
    }

    private static Model any(SplittableRandom random) {
        List<Model> models = Samples.models();
        return models.get(random.nextInt(models.size()));
    }

    /** What Jepsen's own files look like. */
    private static final String JEPSEN =
            """
            ; a comment
            {:type :info, :f :start, :process :nemesis, :time 12, :index 0, :value nil}
            #jepsen.history.Op{:index 1, :time 20, :type :invoke, :process 0, :f :write, :value [3 1]}
            #jepsen.history.Op{:index 2, :time 21, :type :invoke, :process 1, :f :read, :value [3 nil]}
            {:process :nemesis, :type :info, :f :start, :time 22,
             :value [:isolated {"n1" #{"n2" "n3"}, :ratio 1/3, :nan ##NaN, :c \\a}],
             :error #inst "2020-01-01T00:00:00.000-00:00", :clojure.core/x #"a b"}
            {:index 4, :time 30, :type :ok, :process 0, :f :write, :value [3 1], :node "n1"}
            {:index 5, :time 31, :type :ok, :process 1, :f :read, :value [3 1]}
            {:index 6, :time 40, :type :invoke, :process 1, :f :cas, :value [3 [1 2]]}
            {:index 7, :time 50, :type :info, :process 1, :f :cas, :value [3 [1 2]], :error [:timeout "5 s"]}
            {:index 8, :time 51, :type :invoke, :process 2, :f :read, :value [4 nil]}
            {:index 9, :time 52, :type :fail, :process 2, :f :read, :value [4 nil], :error :unavailable}
            {:index 10, :time 60, :type :invoke, :process 3, :f :read, :value [3 nil]}
            {:index 11, :time 61, :type :ok, :process 3, :f :read, :value [3 2]}
            """;

    @Test
    void jepsensOwnFilesAreUnderstood() throws IOException {
        for (String text : List.of(JEPSEN, "[" + JEPSEN + "]", "\ufeff(" + JEPSEN + ")")) {
            Path file = folder.resolve("history.edn");
            Files.writeString(file, text);
            History history = HistoryFormat.read(file, w -> {});
            assertThat(history.events()).hasSize(12);
            assertThat(history.events().get(1).key()).isEqualTo(Value.of(3));
            assertThat(history.events().get(1).value()).isEqualTo(Value.of(1));
            assertThat(history.events().get(7).value())
                    .isEqualTo(Value.of(Value.of(1), Value.of(2)));
            assertThat(history.header().model()).isEqualTo("cas-register");
            assertThat(Checker.check(history, Models.CAS_REGISTER, Budget.DEFAULT))
                    .isInstanceOf(Verdict.Valid.class);
        }
    }

    @Test
    void aProcessThatGoesOnToAnotherKeyIsFollowed() throws IOException {
        Path file = folder.resolve("keys.edn");
        Files.writeString(
                file,
                """
                {:type :invoke, :process 0, :f :write, :value ["x" 1]}
                {:type :ok, :process 0, :f :write, :value ["x" 1]}
                {:type :invoke, :process 0, :f :read, :value ["y" nil]}
                {:type :ok, :process 0, :f :read, :value ["y" nil]}
                """);
        assertThat(HistoryFormat.read(file, w -> {}).events())
                .extracting(event -> event.key() + " " + event.value())
                .containsExactly("\"x\" 1", "\"x\" 1", "\"y\" nil", "\"y\" nil");
    }

    @Test
    void tuplesPrintedAsRecordsAreKeyAndValue() throws IOException {
        Path file = folder.resolve("tuples.edn");
        Files.writeString(
                file,
                """
                {:type :invoke, :process 0, :f :read, :value #jepsen.independent.Tuple{:key "x" :value nil}}
                {:type :ok, :process 0, :f :read, :value #jepsen.independent.Tuple{:key "x" :value 5}}
                """);
        List<HistoryEvent> events = HistoryFormat.read(file, w -> {}).events();
        assertThat(events.get(1).key()).isEqualTo(Value.of("x"));
        assertThat(events.get(1).value()).isEqualTo(Value.of(5));
    }

    @Test
    void everyKindOfJepsensLogLinesIsUnderstood() throws IOException {
        Path file = folder.resolve("jepsen.log");
        Files.writeString(
                file,
                """
                INFO  jepsen.util - 3 \t:invoke :write \t54 \t:hint 0
                2017-07-28 11:38:41,180{GMT}\tINFO\t[jepsen worker 1] jepsen.util: 1\t:invoke\t:cas\t[54 7]
                something else
                4\t:invoke\t:read\tnil
                :nemesis\t:info\t:start\tnil
                INFO  jepsen.util - 3 \t:ok :write \t54 \t:hint 2
                INFO  jepsen.util - 1 \t:fail :cas \t[54 7] \t:hint 2
                4\t:ok\t:read\t54
                """);
        List<HistoryEvent> events = HistoryFormat.read(file, w -> {}).events();
        assertThat(events).hasSize(7);
        assertThat(events.get(4).error()).isNull();
        assertThat(events.get(5).error()).isEqualTo("compare-failed");
        assertThat(events.get(6).value()).isEqualTo(Value.of(54));
    }

    @Test
    void modelsAreGuessedFromWhatWasRead() throws IOException {
        guesses("counter", ":add, :value 2", ":read, :value 2");
        guesses("set", ":add, :value 2", ":read, :value #{2}");
        guesses("list-append", ":append, :value 2", ":read, :value [2]");
        guesses("versioned-register", ":write, :value [nil 3]", ":read, :value [1 3]");
        guesses("lock", ":acquire", ":release");
        guesses("queue", ":enqueue, :value 2", ":dequeue, :value 2");
        guesses("cas-register", ":write, :value 3", ":cas, :value [3 4]");
    }

    private void guesses(String model, String... ends) throws IOException {
        var text = new StringBuilder();
        for (String end : ends) {
            String asked = end.replaceFirst("^(:read|:dequeue),.*", "$1");
            text.append("{:process 0 :type :invoke :f ").append(asked).append("}\n");
            text.append("{:process 0 :type :ok :f ").append(end).append("}\n");
        }
        Path file = folder.resolve("guessed.edn");
        Files.writeString(file, text);
        assertThat(HistoryFormat.read(file, w -> {}).header().model()).as(model).isEqualTo(model);
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
