package raft.harness.checker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryWriter;
import raft.harness.model.Model;
import raft.harness.model.Models;
import raft.harness.model.Samples;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/**
 * Every way of checking agrees with trying all orders, on random small histories of every model.
 */
class FuzzTest {
    private static final int SMALL_COUNT = 10_000;
    private static final int WIDE_COUNT = 2_000;
    private static final int SHAPED_COUNT = 1_000;
    private static final int NIGHTLY_COUNT = Integer.getInteger("raft.fuzz.count", 1_000_000);

    /** The first seed of a nightly test; each history's seed is one more. */
    private static long firstSeed() {
        return Long.getLong("raft.fuzz.seed", System.nanoTime());
    }

    /** All, or for a part of a night those that -Draft.fuzz.models names. */
    static List<Model> models() {
        List<String> named = List.of(System.getProperty("raft.fuzz.models", "").split(","));
        return Samples.models().stream()
                .filter(m -> named.equals(List.of("")) || named.contains(m.name()))
                .toList();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void agreesWithBruteForce(Model model) {
        compare(model, 1, SMALL_COUNT);
    }

    @Tag("nightly")
    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void agreesWithBruteForceAMillionTimes(Model model) {
        compare(model, firstSeed(), NIGHTLY_COUNT);
    }

    /**
     * Reductions can be wrong in ways that need more operations open at once than all orders of
     * them can be tried; there the search that knows nothing of registers is the judge.
     */
    @Test
    void reducedSearchesAgreeWithTheGeneralOneOnWideHistories() {
        compareWide(1, WIDE_COUNT);
    }

    @Tag("nightly")
    @Test
    void reducedSearchesAgreeWithTheGeneralOneOnManyWideHistories() {
        compareWide(firstSeed(), NIGHTLY_COUNT / 5);
    }

    /** The ways without search, where more is open than all orders of it can be tried. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void shortCutsAgreeWithTheGeneralSearchOnWideHistories(Model model) {
        compareWideByShape(model, 1, SHAPED_COUNT);
    }

    @Tag("nightly")
    @ParameterizedTest(name = "{0}")
    @MethodSource("models")
    void shortCutsAgreeWithTheGeneralSearchOnManyWideHistories(Model model) {
        compareWideByShape(model, firstSeed(), NIGHTLY_COUNT / 10);
    }

    private static void compareWideByShape(Model model, long firstSeed, int count) {
        say("wide " + model.name(), firstSeed, count);
        var shaped = Check.Options.DEFAULT;
        int validCount = 0;
        for (long seed = firstSeed; seed < firstSeed + count; seed++) {
            var random = new SplittableRandom(seed);
            List<HistoryEvent> events = Samples.wide(model, random, 8 + random.nextInt(8), 6);
            boolean expected = generally(events, model);
            validCount += expected ? 1 : 0;
            agree(model, seed, events, expected, shaped);
        }
        assertThat(validCount)
                .as("seeds from %d", firstSeed)
                .isBetween(count / 20, count - count / 20);
    }

    private static void compareWide(long firstSeed, int count) {
        say("wide cas-register", firstSeed, count);
        for (long seed = firstSeed; seed < firstSeed + count; seed++) {
            var random = new SplittableRandom(seed);
            int operationCount = 16 + random.nextInt(24);
            List<HistoryEvent> events = Samples.wide(Models.CAS_REGISTER, random, operationCount);
            agree(Models.CAS_REGISTER, seed, events, generally(events, Models.CAS_REGISTER));
        }
    }

    private static boolean generally(List<HistoryEvent> events, Model model) {
        Verdict verdict = Checker.check(events, model, Budget.DEFAULT, Check.Options.GENERAL);
        assertThat(verdict).isNotInstanceOf(Verdict.Unknown.class);
        return verdict instanceof Verdict.Valid;
    }

    private static void agree(Model model, long seed, List<HistoryEvent> events, boolean expected) {
        agree(model, seed, events, expected, Check.Options.all().toArray(new Check.Options[0]));
    }

    private static void agree(
            Model model,
            long seed,
            List<HistoryEvent> events,
            boolean expected,
            Check.Options... ways) {
        for (Check.Options options : ways) {
            Verdict verdict = Checker.check(events, model, Budget.DEFAULT, options);
            boolean agrees =
                    expected
                            ? verdict instanceof Verdict.Valid
                            : verdict instanceof Verdict.Violation;
            if (!agrees) {
                fail(
                        model.name()
                                + " seed "
                                + seed
                                + " with "
                                + options
                                + ": linearizable is "
                                + expected
                                + ", checker says "
                                + verdict
                                + "\n"
                                + events.stream()
                                        .map(HistoryWriter::line)
                                        .collect(Collectors.joining("\n")));
            }
        }
    }

    /** For whoever repeats it, with -Draft.fuzz.seed and -Draft.fuzz.count. */
    private static void say(String what, long firstSeed, int count) {
        System.out.printf("fuzz %s: seeds %d to %d%n", what, firstSeed, firstSeed + count - 1);
    }

    private static void compare(Model model, long firstSeed, int count) {
        say(model.name(), firstSeed, count);
        int validCount = 0;
        for (long seed = firstSeed; seed < firstSeed + count; seed++) {
            List<HistoryEvent> events = Samples.history(model, new SplittableRandom(seed), 8);
            boolean expected = BruteForce.linearizable(events, model);
            validCount += expected ? 1 : 0;
            agree(model, seed, events, expected);
        }
        assertThat(validCount).isBetween(count / 10, count - count / 10);
    }
}
