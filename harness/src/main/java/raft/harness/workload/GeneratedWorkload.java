package raft.harness.workload;

import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;

import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/** A workload made of a generator. */
final class GeneratedWorkload implements Workload {
    private final Kind kind;
    private final int concurrency;
    private final Generator generator;
    private final Supplier<List<Operation>> finalOperations;
    private final Function<HistoryEvent, List<Operation>> finalContinuation;

    /**
     * What it is.
     *
     * @param readByEveryNode whether the final phase asks every node
     */
    record Kind(
            String name,
            String model,
            List<String> functions,
            boolean readByEveryNode,
            Retry retry) {}

    /**
     * @param finalOperations asked once, when the final phase begins
     * @param finalContinuation told each success of the final phase
     */
    GeneratedWorkload(
            Kind kind,
            int concurrency,
            Generator generator,
            Supplier<List<Operation>> finalOperations,
            Function<HistoryEvent, List<Operation>> finalContinuation) {
        this.kind = kind;
        this.concurrency = concurrency;
        this.generator = generator;
        this.finalOperations = finalOperations;
        this.finalContinuation = finalContinuation;
    }

    @Override
    public String name() {
        return kind.name;
    }

    @Override
    public String model() {
        return kind.model;
    }

    @Override
    public List<String> functions() {
        return kind.functions;
    }

    @Override
    public Next next(long nowNanos, List<Long> freeProcesses) {
        Generator.Context context = new Generator.Context(nowNanos, freeProcesses, concurrency);
        return switch (generator.next(context)) {
            case Generator.Step.Do(long process, Operation operation) ->
                    new Next.Do(process, operation);
            case Generator.Step.Wait(long untilNanos) -> new Next.WaitUntil(untilNanos);
            case Generator.Step.Exhausted() -> new Next.WaitUntil(Long.MAX_VALUE);
        };
    }

    @Override
    public void completed(HistoryEvent completion) {
        generator.completed(completion);
    }

    @Override
    public List<Operation> finalOperations() {
        return finalOperations.get();
    }

    @Override
    public List<Operation> finalContinuation(HistoryEvent completion) {
        return finalContinuation.apply(completion);
    }

    @Override
    public Operation finalAgain(Operation tried) {
        // Whoever took a lock without hearing of it holds it for ever; another shows as much.
        return tried.f().equals("acquire")
                ? new Operation("acquire", Value.of(tried.key() + "-again"), Value.NIL)
                : tried;
    }

    @Override
    public boolean finalPhaseAsksEveryNode() {
        return kind.readByEveryNode;
    }

    @Override
    public Retry retry() {
        return kind.retry;
    }
}
