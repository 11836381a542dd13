package raft.harness.sim;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;
import raft.harness.workload.Operation;
import raft.harness.workload.Workload;

import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * Operations from a list, each at its moment or as soon as a process of its number's place is free;
 * what the minimiser takes operations away from.
 */
final class ScriptedWorkload implements Workload {
    private final List<Scenario.Step> script;
    private final ArrayDeque<Scenario.Step> todo;
    private final int concurrency;

    ScriptedWorkload(List<Scenario.Step> script, int concurrency) {
        this.script = script;
        this.todo = new ArrayDeque<>(script);
        this.concurrency = concurrency;
    }

    @Override
    public String name() {
        return "register";
    }

    @Override
    public String model() {
        return "cas-register";
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
        return keys.stream().map(key -> new Operation("read", key, Value.NIL)).toList();
    }
}
