package raft.harness.history;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import raft.harness.history.HistoryEvent.Type;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** What is looked up in columns is what reading every line would find. */
final class HistoryIndexTest {
    private static final long SEED = Long.getLong("raft.seed", 20261124);
    private static final HistoryHeader HEADER =
            new HistoryHeader(1, "r1", "register", "cas-register", List.of("n1", "n2"), 7);

    @TempDir private Path folder;

    private static History random(long seed, int operations) {
        var random = new SplittableRandom(seed);
        List<HistoryEvent> events = new ArrayList<>();
        HistoryEvent[] open = new HistoryEvent[8];
        long time = 0;
        for (int done = 0; done < operations; ) {
            time += random.nextLong(1, 1_000_000);
            int p = random.nextInt(open.length);
            HistoryEvent asked = open[p];
            if (random.nextInt(50) == 0) {
                events.add(
                        event(events.size(), time, HistoryEvent.NEMESIS, Type.INFO, "kill", 0, 0));
            } else if (asked == null) {
                String f = random.nextBoolean() ? "write" : "cas";
                open[p] =
                        event(
                                events.size(),
                                time,
                                p,
                                Type.INVOKE,
                                f,
                                random.nextInt(5),
                                random.nextInt(60));
                events.add(open[p]);
            } else {
                Type type = List.of(Type.OK, Type.FAIL, Type.OK).get(random.nextInt(3));
                events.add(
                        new HistoryEvent(
                                events.size(),
                                time,
                                p,
                                type,
                                asked.f(),
                                asked.key(),
                                asked.value(),
                                "n" + (1 + random.nextInt(2)),
                                type == Type.FAIL ? "refused: Not-Leader" : null,
                                3,
                                done));
                open[p] = null;
                done++;
            }
        }
        return new History(HEADER, events);
    }

    private static HistoryEvent event(
            long index, long time, long process, Type type, String f, int key, int value) {
        Value what =
                f.equals("cas")
                        ? Value.of(Value.of(value), Value.of(value + 1))
                        : Value.of("v" + value);
        return new HistoryEvent(
                index, time, process, type, f, Value.of("k" + key), what, "n1", null, 0, 0);
    }

    private Path written(History history) throws IOException {
        Path file = folder.resolve("history.jsonl");
        HistoryWriter.write(file, history);
        return file;
    }

    @Test
    void everyEventComesBackAlsoFromTheFileBesideTheHistory() throws IOException {
        History history = random(SEED, 8_000);
        Path file = written(history);
        for (boolean kept : new boolean[] {false, true}) {
            try (HistoryIndex index = HistoryIndex.open(file)) {
                assertThat(index.fromFile()).as("seed %d", SEED).isEqualTo(kept);
                assertThat(index.header()).isEqualTo(HEADER);
                assertThat(index.warnings()).isEmpty();
                assertThat(index.toHistory()).isEqualTo(history);
                for (int i = 0; i < index.size(); i++) {
                    HistoryEvent event = history.events().get(i);
                    assertThat(index.timeNanos(i)).isEqualTo(event.timeNanos());
                    assertThat(index.process(i)).isEqualTo(event.process());
                    assertThat(index.type(i)).isEqualTo(event.type());
                    assertThat(index.functions().get(index.function(i))).isEqualTo(event.f());
                    assertThat(index.keys().get(index.key(i))).isEqualTo(event.key());
                    if (index.partner(i) >= 0) {
                        assertThat(index.partner(index.partner(i))).isEqualTo(i);
                        assertThat(index.process(index.partner(i))).isEqualTo(event.process());
                    }
                }
            }
        }
    }

    @Test
    void filtersFindWhatReadingEverythingFinds() throws IOException {
        History history = random(SEED, 8_000);
        Path file = written(history);
        HistoryIndex.open(file).close();
        var random = new SplittableRandom(SEED);
        long end = history.events().getLast().timeNanos();
        try (HistoryIndex index = HistoryIndex.open(file)) {
            int found = 0;
            for (int i = 0; i < 200; i++) {
                HistoryIndex.Filter filter = filter(random, end);
                List<Integer> seen = new ArrayList<>();
                index.find(filter, seen::add);
                List<Integer> expected = new ArrayList<>();
                for (int e = 0; e < history.events().size(); e++) {
                    if (fits(filter, history.events().get(e))) {
                        expected.add(e);
                    }
                }
                assertThat(seen).as("seed %d, %s", SEED, filter).isEqualTo(expected);
                found += seen.isEmpty() ? 0 : 1;
            }
            assertThat(found).as("filters that find something").isGreaterThan(50);
        }
    }

    private static HistoryIndex.Filter filter(SplittableRandom random, long end) {
        long from = random.nextLong(end);
        return new HistoryIndex.Filter(
                random.nextInt(3) == 0 ? "k" + random.nextInt(6) : null,
                random.nextInt(3) == 0 ? (Long) random.nextLong(-1, 9) : null,
                random.nextInt(2) == 0
                        ? (random.nextBoolean() ? "v" : "") + random.nextInt(62)
                        : null,
                random.nextBoolean() ? from : 0,
                random.nextBoolean() ? random.nextLong(from, end + 1) : Long.MAX_VALUE,
                random.nextInt(3) == 0 ? Type.values()[random.nextInt(4)] : null,
                random.nextInt(4) == 0 ? "cas" : null,
                random.nextInt(4) == 0 ? "not-leader" : null,
                random.nextInt(4) == 0 ? "n2" : null);
    }

    private static boolean fits(HistoryIndex.Filter filter, HistoryEvent event) {
        return (filter.key() == null || HistoryIndex.plain(event.key()).equals(filter.key()))
                && (filter.process() == null || filter.process() == event.process())
                && (filter.value() == null || holds(event.value(), filter.value()))
                && event.timeNanos() >= filter.fromNanos()
                && event.timeNanos() < filter.toNanos()
                && (filter.type() == null || filter.type() == event.type())
                && (filter.function() == null || filter.function().equals(event.f()))
                && (filter.error() == null
                        || event.error() != null
                                && event.error().toLowerCase().contains(filter.error()))
                && (filter.node() == null || filter.node().equals(event.node()));
    }

    private static boolean holds(Value value, String text) {
        return value instanceof Value.Seq(List<Value> parts)
                ? parts.stream().anyMatch(part -> HistoryIndex.plain(part).equals(text))
                : HistoryIndex.plain(value).equals(text);
    }

    @Test
    void anIndexOfAnotherStateOrADamagedOneIsMadeAnew() throws IOException {
        Path file = written(random(SEED, 8_000));
        int before;
        try (HistoryIndex index = HistoryIndex.open(file)) {
            before = index.size();
        }
        Files.writeString(
                file,
                HistoryWriter.line(
                                event(before, Long.MAX_VALUE / 2, 99, Type.INVOKE, "write", 1, 1))
                        + "\n",
                StandardOpenOption.APPEND);
        try (HistoryIndex index = HistoryIndex.open(file)) {
            assertThat(index.fromFile()).isFalse();
            assertThat(index.size()).isEqualTo(before + 1);
        }
        Path beside = folder.resolve("history.jsonl.index");
        byte[] bytes = Files.readAllBytes(beside);
        for (int length : new int[] {0, 39, 200, bytes.length - 1}) {
            Files.write(beside, java.util.Arrays.copyOf(bytes, length));
            try (HistoryIndex index = HistoryIndex.open(file)) {
                assertThat(index.fromFile()).isFalse();
                assertThat(index.size()).isEqualTo(before + 1);
            }
        }
    }

    @Test
    void whatCannotBeReadIsLeftOutAndSaid() throws IOException {
        History history = random(SEED, 20);
        Path file = written(history);
        List<String> lines = new ArrayList<>(Files.readAllLines(file));
        lines.set(3, "{\"index\":2,\"time\":");
        String cut = lines.removeLast();
        Files.writeString(
                file, String.join("\n", lines) + "\n" + cut.substring(0, cut.length() / 2));
        try (HistoryIndex index = HistoryIndex.open(file)) {
            assertThat(index.size()).isEqualTo(history.events().size() - 2);
            assertThat(index.warnings())
                    .anyMatch(w -> w.startsWith("line 4 cannot be read"))
                    .anyMatch(w -> w.startsWith("the last line is cut off"));
            assertThat(index.event(2)).isEqualTo(history.events().get(3));
        }
    }

    @Test
    void aNewerSchemaIsShownWithAWarning() throws IOException {
        Path file = written(random(SEED, 20));
        String text = Files.readString(file);
        Files.writeString(file, text.replace("{\"schema\":1,", "{\"schema\":9,\"moon\":[1],"));
        try (HistoryIndex index = HistoryIndex.open(file)) {
            assertThat(index.size()).isPositive();
            assertThat(index.warnings()).anyMatch(w -> w.contains("schema 9"));
        }
    }
}
