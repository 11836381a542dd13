package raft.harness.sim;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.workload.Operation;
import raft.harness.workload.Retry;
import raft.harness.workload.Workload;

import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Operations from a list, each at its moment or as soon as a process of its number's place is free;
 * what the minimiser takes operations away from.
 */
final class ScriptedWorkload implements Workload {
    private static final Value NO_VERSION = Value.of(Value.NIL, Value.NIL);

    /** Whose operations these are: knows the model, whether clients retry, and the final phase. */
    private final Workload original;

    private final List<Scenario.Step> script;
    private final ArrayDeque<Scenario.Step> todo;
    private final int concurrency;

    ScriptedWorkload(Workload original, List<Scenario.Step> script, int concurrency) {
        this.original = original;
        this.script = script;
        this.todo = new ArrayDeque<>(script);
        this.concurrency = concurrency;
    }

    @Override
    public String name() {
        return original.name();
    }

    @Override
    public String model() {
        return original.model();
    }

    @Override
    public List<String> functions() {
        return script.stream().map(Scenario.Step::f).distinct().toList();
    }

    @Override
    public Next next(long nowNanos, List<Long> freeProcesses) {
        Scenario.Step step = todo.peekFirst();
        if (step == null) {
            return new Next.WaitUntil(Long.MAX_VALUE);
        }
        if (step.nanos() > nowNanos) {
            return new Next.WaitUntil(step.nanos());
        }
        for (long process : freeProcesses) {
            if (process % concurrency == step.process() % concurrency) {
                todo.removeFirst();
                return new Next.Do(process, new Operation(step.f(), step.key(), step.value()));
            }
        }
        return new Next.WaitUntil(Long.MAX_VALUE);
    }

    @Override
    public void completed(HistoryEvent completion) {}

    @Override
    public List<Operation> finalOperations() {
        LinkedHashSet<Value> keys = new LinkedHashSet<>();
        script.forEach(step -> keys.add(step.key()));
        return switch (model()) {
            case "queue" -> ofAll(keys, "dequeue", Value.NIL);
            case "versioned-register" -> ofAll(keys, "read", NO_VERSION);
            // Some are held for ever by clients that died.
            case "lock" -> List.of();
            default -> ofAll(keys, "read", Value.NIL);
        };
    }

    private static List<Operation> ofAll(Set<Value> keys, String f, Value value) {
        return keys.stream().map(key -> new Operation(f, key, value)).toList();
    }

    @Override
    public Operation finalAgain(Operation tried) {
        return original.finalAgain(tried);
    }

    @Override
    public List<Operation> finalContinuation(HistoryEvent completion) {
        return original.finalContinuation(completion);
    }

    @Override
    public boolean finalPhaseAsksEveryNode() {
        return original.finalPhaseAsksEveryNode();
    }

    @Override
    public Retry retry() {
        return original.retry();
    }
}
