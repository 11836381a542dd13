package raft.harness.checker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import raft.harness.history.History;
import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryFormat;
import raft.harness.history.HistoryReader;
import raft.harness.history.Value;
import raft.harness.model.Model;
import raft.harness.model.Models;
import raft.harness.model.Operation;
import raft.harness.model.Samples;
import raft.harness.report.ExplanationText;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** What is said of a violation: true, as small as sound reductions make it, in plain words. */
class ExplanationTest {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    /** By the processor's time, so that a busy machine leaves as much for the explanation. */
    private static Verdict checked(List<HistoryEvent> events, Model model) {
        var meter =
                new Meter(Budget.DEFAULT, Checker.Progress.NONE, THREADS::getCurrentThreadCpuTime);
        return new Check(events, model, Check.Options.DEFAULT, meter).run();
    }

    @TestFactory
    Stream<DynamicTest> corpusIsExplainedByTheSmallestPart() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("../histories/corpus/bad"))) {
            return files.sorted().toList().stream()
                    .filter(file -> file.toString().endsWith(".jsonl"))
                    // Those that were found in runs hold dozens of operations that one answer
                    // names; how small they become depends on the time there is.
                    .filter(file -> !file.getFileName().toString().matches("(sim|docker)-.*"))
                    .map(f -> DynamicTest.dynamicTest(f.toString(), () -> explains(f)));
        }
    }

    private static void explains(Path file) throws IOException {
        History history = HistoryReader.read(file);
        explains(history.events(), Models.named(history.header().model()));
    }

    @TestFactory
    Stream<DynamicTest> sharedDataIsExplainedByTheSmallestPart() throws IOException {
        Path verdicts = SharedDataTest.folder().resolve("verdicts.csv");
        if (!Files.exists(verdicts)) {
            return Stream.empty();
        }
        return Files.readAllLines(verdicts).stream()
                .map(line -> line.split(","))
                .filter(fields -> fields[2].equals("not-linearizable"))
                .map(f -> DynamicTest.dynamicTest(f[0], () -> explainsShared(f[0], f[1])));
    }

    private static void explainsShared(String name, String model) throws IOException {
        Path file = SharedDataTest.file(SharedDataTest.folder(), name);
        explains(HistoryFormat.read(file, warning -> {}).events(), Models.named(model));
    }

    /** Small violations, so that the explainer's time never is what ends it. */
    @Test
    void randomViolationsAreExplainedByTheSmallestPart() {
        for (Model model : Samples.models()) {
            int explained = 0;
            for (long seed = 1; explained < 100; seed++) {
                List<HistoryEvent> events = Samples.history(model, new SplittableRandom(seed), 8);
                if (!BruteForce.linearizable(events, model)) {
                    explained++;
                    explains(events, model);
                }
            }
        }
    }

    private static void explains(List<HistoryEvent> events, Model model) {
        Verdict verdict = checked(events, model);
        assertThat(verdict).isInstanceOf(Verdict.Violation.class);
        Verdict.Explanation why = ((Verdict.Violation) verdict).explanation();
        assertThat(why.summary()).contains("process").endsWith(".").doesNotContain("null");
        assertThat(why.operations().stream().filter(Verdict.Involved::accused)).isNotEmpty();
        assertThat(why.operations()).allMatch(o -> why.events().contains(o.invocation()));
        Verdict.DeadEnd end = why.deadEnd();
        assertThat(end).isNotNull();
        assertThat(end.possible()).isNotEmpty();
        assertThat(end.possibleCount()).isGreaterThanOrEqualTo(end.possible().size());
        assertThat(impossible(why.events(), model)).as("%s", why).isTrue();
        isSmallest(why, model);
        for (String line : ExplanationText.lines(why)) {
            boolean longValue = line.length() > 78 && line.contains("[") || line.contains("\"");
            assertThat(longValue || line.length() <= 78).as(line).isTrue();
        }
    }

    /** No pure operation can be left out any more, and no completion. */
    private static void isSmallest(Verdict.Explanation why, Model model) {
        for (Verdict.Involved one : why.operations()) {
            HistoryEvent completion = one.completion();
            List<HistoryEvent> fewer = new ArrayList<>(why.events());
            fewer.remove(completion);
            Operation operation = Preparation.operation(one.invocation(), completion, model);
            if (model.pure().test(operation)) {
                fewer.remove(one.invocation());
            } else if (completion == null) {
                continue;
            }
            assertThat(impossible(fewer, model)).as("without %s of %s", one.words(), why).isFalse();
        }
    }

    private static boolean impossible(List<HistoryEvent> part, Model model) {
        List<HistoryEvent> events = wellFormed(part);
        Verdict verdict = Checker.check(events, model, Budget.DEFAULT, Check.Options.GENERAL);
        assertThat(verdict).isNotInstanceOf(Verdict.Unknown.class);
        return verdict instanceof Verdict.Violation;
    }

    /** An operation made pending ends as info before its process goes on. */
    private static List<HistoryEvent> wellFormed(List<HistoryEvent> part) {
        Map<Long, HistoryEvent> open = new HashMap<>();
        List<HistoryEvent> events = new ArrayList<>();
        for (HistoryEvent event : part) {
            if (event.type() == HistoryEvent.Type.INVOKE) {
                HistoryEvent pending = open.put(event.process(), event);
                if (pending != null) {
                    add(
                            events,
                            pending.process(),
                            HistoryEvent.Type.INFO,
                            pending.f(),
                            pending.value(),
                            0);
                }
            } else {
                open.remove(event.process());
            }
            events.add(event);
        }
        return events;
    }

    @Test
    void staleReadIsToldAsInTheTextbook() {
        List<HistoryEvent> events = new ArrayList<>();
        add(events, 3, HistoryEvent.Type.INVOKE, "write", Value.of(3), 0);
        add(events, 3, HistoryEvent.Type.OK, "write", Value.of(3), 5);
        add(events, 4, HistoryEvent.Type.INVOKE, "write", Value.of(4), 8);
        add(events, 4, HistoryEvent.Type.OK, "write", Value.of(4), 18);
        add(events, 13, HistoryEvent.Type.INVOKE, "read", Value.NIL, 100);
        add(events, 13, HistoryEvent.Type.OK, "read", Value.of(3), 120);
        Verdict verdict =
                Checker.check(events, Models.CAS_REGISTER, Budget.DEFAULT, Check.Options.DEFAULT);
        assertThat(((Verdict.Violation) verdict).explanation().summary())
                .startsWith(
                        "Read 4 by process 13 returned 3, but the write of 4 by process 4 (event 2)"
                                + " had finished 82 ms before it began");
    }

    @Test
    void lockThatIsGivenBackByTheTokenOfAnotherTimeIsToldSo() {
        List<HistoryEvent> events = new ArrayList<>();
        for (long token : new long[] {7, 9}) {
            add(events, 1, HistoryEvent.Type.INVOKE, "acquire", Value.NIL, token);
            add(events, 1, HistoryEvent.Type.OK, "acquire", Value.of(token), token);
            add(events, 1, HistoryEvent.Type.INVOKE, "release", Value.of(7), token);
            add(events, 1, HistoryEvent.Type.OK, "release", Value.of(7), token);
        }
        Verdict verdict = Checker.check(events, Models.LOCK, Budget.DEFAULT, Check.Options.DEFAULT);
        assertThat(((Verdict.Violation) verdict).explanation().summary())
                .contains("that is the token by which it held the lock");
        Verdict first =
                Checker.check(
                        events.subList(0, 4), Models.LOCK, Budget.DEFAULT, Check.Options.DEFAULT);
        assertThat(first).isInstanceOf(Verdict.Valid.class);
    }

    private static void add(
            List<HistoryEvent> events,
            long process,
            HistoryEvent.Type type,
            String f,
            Value value,
            long millis) {
        events.add(
                new HistoryEvent(
                        events.size(),
                        millis * 1_000_000,
                        process,
                        type,
                        f,
                        Value.NIL,
                        value,
                        null,
                        null,
                        0,
                        0));
    }

    @Test
    void listThatHoldsAnElementTwiceIsExplainedByCounting() throws IOException {
        History history =
                HistoryReader.read(Path.of("../histories/corpus/bad/docker-X1-append-twice.jsonl"));
        Verdict verdict = checked(history.events(), Models.named("list-append"));
        assertThat(((Verdict.Violation) verdict).explanation().summary())
                .contains("but 702 is in it twice and had been appended only once (event 3178");
    }
}
