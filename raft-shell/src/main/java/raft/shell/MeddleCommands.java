package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.sim.Steppable.Occurrence;
import raft.harness.sim.Steppable.Sort;
import raft.harness.sim.travel.Decision.Act;
import raft.harness.sim.travel.Travel;
import raft.shell.live.UsageException;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What could happen next in a simulated cluster, and making something else of it. */
final class MeddleCommands {
    private MeddleCommands() {}

    @Command(
            name = "flight",
            description = "What could happen next: messages, timers, disks, numbered.",
            footer = {
                "",
                "m… is a message under way, t… a timer, d… an fsync, c… a client's doing.",
                "",
                "Examples:",
                "  flight",
                "  flight n2            what concerns n2"
            })
    static final class Flight extends TravelCommand {
        @Parameters(index = "0", arity = "0..1", paramLabel = "NODE", description = "only this one")
        @Nullable String node;

        @Option(
                names = "--count",
                paramLabel = "N",
                defaultValue = "20",
                description = "how many (default: 20)")
        int count;

        @Option(names = "--all", description = "also clients whose patience ends")
        boolean all;

        private static boolean isPatience(Occurrence occurrence) {
            return occurrence.what().contains("patience");
        }

        @Override
        int go() throws InterruptedException {
            String only = node == null ? null : node(node);
            List<Occurrence> pending =
                    cluster().travel(travel -> travel.world().pending()).stream()
                            .filter(
                                    occurrence ->
                                            (only == null
                                                            || only.equals(occurrence.node())
                                                            || only.equals(occurrence.from()))
                                                    && (all || !isPatience(occurrence)))
                            .toList();
            long now = cluster().travel(Travel::nowNanos);
            if (isJson()) {
                json(pending.stream().map(one -> object(one, now)).toList());
                return 0;
            }
            for (Occurrence occurrence : pending.subList(0, Math.min(count, pending.size()))) {
                say(
                        fit(
                                String.format(
                                        Locale.ROOT,
                                        "%-8s +%-9s %s",
                                        label(occurrence),
                                        millis(occurrence.timeNanos() - now),
                                        occurrence.what())));
            }
            if (pending.size() > count) {
                say(paint().dim("… and " + (pending.size() - count) + " more"));
            }
            return 0;
        }
    }

    private static Map<String, Object> object(Occurrence occurrence, long nowNanos) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("pending", label(occurrence));
        object.put("inMillis", (occurrence.timeNanos() - nowNanos) / 1e6);
        object.put("node", occurrence.node());
        object.put("from", occurrence.from());
        object.put("what", occurrence.what());
        return object;
    }

    static String label(Occurrence occurrence) {
        return letter(occurrence.sort()) + occurrence.sequence();
    }

    /** Instead of a label: the first of the sort that is asked for. */
    static final String NEXT = "next";

    /** Instead of a label: the first message from one node to another. */
    private static final Pattern LINK = Pattern.compile("([A-Za-z0-9_.-]+)->([A-Za-z0-9_.-]+)");

    private static final Pattern LABEL = Pattern.compile("[a-z]?([0-9]{1,12})");

    /** Whether a word names something pending, be it there or not. */
    static boolean isLabel(String word) {
        return word.equals(NEXT) || LINK.matcher(word).matches() || LABEL.matcher(word).matches();
    }

    /**
     * What is pending under a label; null where nothing is.
     *
     * @param next of which sort, where the label is 'next'
     */
    static @Nullable Occurrence pending(Travel travel, String label, Sort next) {
        Matcher link = LINK.matcher(label);
        Matcher number = LABEL.matcher(label);
        Predicate<Occurrence> meant =
                link.matches()
                        ? one ->
                                one.sort() == Sort.MESSAGE
                                        && link.group(1).equals(one.from())
                                        && link.group(2).equals(one.node())
                        : number.matches()
                                ? one -> one.sequence() == Long.parseLong(number.group(1))
                                : one -> one.sort() == next;
        return travel.world().pending().stream().filter(meant).findFirst().orElse(null);
    }

    private static String letter(Sort sort) {
        return switch (sort) {
            case MESSAGE -> "m";
            case TIMER -> "t";
            case DISK -> "d";
            case CLIENT -> "c";
            case FAULT -> "f";
            case OTHER -> "o";
        };
    }

    /** Does something else with one pending occurrence than what would happen. */
    abstract static class Meddle extends TravelCommand {
        abstract String label();

        abstract Sort sort();

        abstract Act act(long sequence, Occurrence occurrence);

        abstract String done();

        @Override
        int go() throws InterruptedException {
            String letter = letter(sort());
            if (!isLabel(label())) {
                throw new UsageException(
                        "'"
                                + label()
                                + "' is none of what 'flight' lists; write "
                                + letter
                                + "57, say, or "
                                + NEXT);
            }
            String words = typed();
            Occurrence[] found = new Occurrence[1];
            boolean done =
                    cluster()
                            .travel(
                                    travel -> {
                                        Occurrence occurrence = pending(travel, label(), sort());
                                        found[0] = occurrence;
                                        return occurrence != null
                                                && occurrence.sort() == sort()
                                                && travel.decide(
                                                        words,
                                                        act(occurrence.sequence(), occurrence));
                                    });
            if (!done) {
                throw new UsageException(
                        found[0] == null
                                ? label() + " is not pending; 'flight' lists what is"
                                : label() + " is no " + sort().name().toLowerCase(Locale.ROOT));
            }
            if (isJson()) {
                json(Map.of("done", done(), "what", found[0].what()));
            } else {
                say(fit(done() + ": " + found[0].what()));
            }
            return tellBroken() ? 1 : 0;
        }
    }

    /** With a message's label as the only argument. */
    abstract static class MeddleWithMessage extends Meddle {
        @Parameters(
                index = "0",
                paramLabel = "MESSAGE",
                description = "as 'flight' lists it, or next")
        String which = "";

        @Override
        final String label() {
            return which;
        }

        @Override
        final Sort sort() {
            return Sort.MESSAGE;
        }
    }

    @Command(
            name = "deliver",
            description = "Lets a pending message arrive now.",
            footer = {"", "Example:  deliver m57"})
    static final class Deliver extends MeddleWithMessage {
        @Override
        Act act(long sequence, Occurrence occurrence) {
            return new Act.Hasten(sequence);
        }

        @Override
        String done() {
            return "delivered";
        }
    }

    @Command(
            name = "drop",
            description = "Loses a pending message.",
            footer = {
                "",
                "Examples:",
                "  drop m57",
                "  drop next      whichever would arrive next",
                "  drop n1->n3    the next from n1 to n3"
            })
    static final class Drop extends MeddleWithMessage {
        @Override
        Act act(long sequence, Occurrence occurrence) {
            return new Act.Drop(sequence);
        }

        @Override
        String done() {
            return "dropped";
        }
    }

    @Command(
            name = "dup",
            description = "Lets a pending message arrive twice.",
            footer = {"", "Example:  dup m57"})
    static final class Dup extends MeddleWithMessage {
        @Override
        Act act(long sequence, Occurrence occurrence) {
            return new Act.Duplicate(sequence);
        }

        @Override
        String done() {
            return "arrives twice";
        }
    }

    @Command(
            name = "fire",
            description = "Lets a timer end now: the node's clock jumps ahead to it.",
            footer = {"", "Example:  fire t9"})
    static final class Fire extends Meddle {
        @Parameters(
                index = "0",
                paramLabel = "TIMER",
                description = "as 'flight' lists it, or next")
        String which = "";

        @Override
        String label() {
            return which;
        }

        @Override
        Sort sort() {
            return Sort.TIMER;
        }

        @Override
        Act act(long sequence, Occurrence occurrence) {
            return new Act.Hasten(sequence);
        }

        @Override
        String done() {
            return "fired";
        }
    }

    @Command(
            name = "fail",
            description =
                    "Lets a pending fsync fail: the node halts and loses what was not synced.",
            footer = {"", "Examples:", "  fail d12 EIO", "  start n2       brings it up again"})
    static final class Fail extends Meddle {
        @Parameters(
                index = "0",
                paramLabel = "FSYNC",
                description = "as 'flight' lists it, or next")
        String which = "";

        @Override
        String label() {
            return which;
        }

        @Parameters(
                index = "1",
                arity = "0..1",
                defaultValue = "EIO",
                paramLabel = "EIO",
                description = "the error; a node treats all alike")
        String error = "EIO";

        @Override
        Sort sort() {
            return Sort.DISK;
        }

        @Override
        Act act(long sequence, Occurrence occurrence) {
            return new Act.FailSync(
                    sequence,
                    Travel.halted(1_000_000 + sequence, String.valueOf(occurrence.node())));
        }

        @Override
        String done() {
            return "failed with " + error;
        }
    }
}
