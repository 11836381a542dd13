package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.model.Model;
import raft.harness.model.Models;
import raft.harness.model.Operation;
import raft.harness.model.Operation.Outcome;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Pairs invocations with completions, leaves out what cannot matter and splits by part.
 *
 * <p>Left out: the nemesis; failed operations, which certainly did not happen — except a cas that
 * was refused because it compared and found another value, which is evidence; and pure operations
 * whose answer is not known, which see anything and change nothing.
 */
final class Preparation {
    /** The error that makes a failed cas evidence. */
    static final String REFUSED = "compare-failed";

    private final List<HistoryEvent> events;
    private final Model model;
    private final Map<Value, Builder> builders = new LinkedHashMap<>();
    private final Map<Value, Value> canonical = new HashMap<>();
    private long operationCount;

    private final Meter.Gauge gauge;
    private final Set<String> known = new HashSet<>();

    private Preparation(List<HistoryEvent> events, Model model, Meter meter) {
        gauge = meter.gauge();
        this.events = events;
        this.model = model;
    }

    /**
     * Splits a history.
     *
     * @throws IllegalArgumentException when a completion has no invocation
     */
    static Preparation of(List<HistoryEvent> events, Model model, Meter meter) {
        var preparation = new Preparation(events, model, meter);
        preparation.pair();
        return preparation;
    }

    /** Client operations, the failed ones too. */
    long operationCount() {
        return operationCount;
    }

    List<Part> parts() {
        List<Part> parts = new ArrayList<>();
        for (Builder builder : builders.values()) {
            Part part = builder.build();
            if (part.operationCount() > 0) {
                parts.add(part);
            }
        }
        return parts;
    }

    private void pair() {
        int[] completionOf = new int[events.size()];
        var open = new LongIntMap();
        for (int i = 0; i < completionOf.length; i++) {
            gauge.check();
            HistoryEvent event = events.get(i);
            completionOf[i] = -1;
            if (event.process() == HistoryEvent.NEMESIS) {
                continue;
            }
            if (event.type() == HistoryEvent.Type.INVOKE) {
                operationCount++;
                requireKnown(event);
                if (open.lookup(event.process()) >= 0) {
                    throw new IllegalArgumentException(
                            "event "
                                    + event.index()
                                    + ": process "
                                    + event.process()
                                    + " invokes while an operation of its is open");
                }
                open.put(event.process(), i);
            } else {
                int invocation = open.remove(event.process());
                if (invocation < 0) {
                    throw new IllegalArgumentException(
                            "event "
                                    + event.index()
                                    + ": process "
                                    + event.process()
                                    + " ends an operation that it did not invoke");
                }
                completionOf[invocation] = i;
                completionOf[i] = invocation;
            }
        }
        split(completionOf);
    }

    private void requireKnown(HistoryEvent event) {
        if (!known.contains(event.f())) {
            requireKnown(event, model);
            known.add(event.f());
        }
    }

    /**
     * @throws IllegalArgumentException when the model has no such function
     */
    static void requireKnown(HistoryEvent event, Model model) {
        if (!Models.knows(model, event.f())) {
            throw new IllegalArgumentException(
                    "event "
                            + event.index()
                            + ": the model "
                            + model.name()
                            + " has no operation \""
                            + event.f()
                            + "\"; it has "
                            + String.join(", ", Models.functions(model)));
        }
    }

    private void split(int[] partner) {
        Builder[] builderOf = new Builder[events.size()];
        int[] numberOf = new int[events.size()];
        for (int i = 0; i < partner.length; i++) {
            gauge.check();
            HistoryEvent event = events.get(i);
            if (event.process() == HistoryEvent.NEMESIS) {
                continue;
            }
            if (event.type() == HistoryEvent.Type.INVOKE) {
                HistoryEvent completion = partner[i] < 0 ? null : events.get(partner[i]);
                if (completion != null
                        && completion.type() == HistoryEvent.Type.FAIL
                        && !refusal(event, completion)) {
                    continue;
                }
                Operation operation = operation(event, completion, model);
                if (operation.outcome() == Outcome.UNKNOWN && model.pure().test(operation)) {
                    continue;
                }
                Builder builder = builder(model.part().apply(operation));
                builderOf[i] = builder;
                boolean crashed = completion == null || completion.type() == HistoryEvent.Type.INFO;
                numberOf[i] = builder.invoke(i, crashed ? -1 : partner[i]);
            } else if (event.type() != HistoryEvent.Type.INFO) {
                Builder builder = builderOf[partner[i]];
                if (builder != null) {
                    builder.complete(numberOf[partner[i]]);
                }
            }
        }
    }

    private Builder builder(Value part) {
        Value name = canonical.computeIfAbsent(part, p -> p);
        return builders.computeIfAbsent(name, Builder::new);
    }

    static boolean refusal(HistoryEvent invocation, HistoryEvent completion) {
        return completion.type() == HistoryEvent.Type.FAIL
                && REFUSED.equals(completion.error())
                && invocation.f().equals("cas");
    }

    /** What the model is asked about an invocation and its completion, where it has one. */
    static Operation operation(
            HistoryEvent invocation, @Nullable HistoryEvent completion, Model model) {
        Outcome outcome = Outcome.UNKNOWN;
        Value result = Value.NIL;
        if (completion != null && completion.type() == HistoryEvent.Type.OK) {
            outcome = Outcome.OK;
            result = completion.value();
        } else if (completion != null && completion.type() == HistoryEvent.Type.FAIL) {
            outcome = Outcome.REFUSED;
        }
        return new Operation(
                model.processMatters() ? invocation.process() : 0,
                invocation.f(),
                invocation.key(),
                invocation.value(),
                result,
                outcome);
    }

    private static final class Builder {
        private final Value name;
        private final IntList partEvents = new IntList();
        private final IntList invocations = new IntList();
        private final IntList completions = new IntList();

        Builder(Value name) {
            this.name = name;
        }

        int invoke(int invocation, int completion) {
            int number = invocations.length();
            invocations.add(invocation);
            completions.add(completion);
            partEvents.add(number * 2);
            return number;
        }

        void complete(int number) {
            partEvents.add(number * 2 + 1);
        }

        Part build() {
            return new Part(
                    name, partEvents.toArray(), invocations.toArray(), completions.toArray());
        }
    }
}
