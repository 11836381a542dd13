package raft.harness.workload;

import org.jspecify.annotations.Nullable;

import raft.harness.history.HistoryEvent;
import raft.harness.history.HistoryEvent.Type;
import raft.harness.workload.Generator.Context;
import raft.harness.workload.Generator.Step;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.LongFunction;

/**
 * The combinators that Jepsen's users know. Each owns the generators it is given: nobody else may
 * ask them.
 */
public final class Generators {
    private static final Step EXHAUSTED = new Step.Exhausted();
    private static final Step WAIT_FOR_A_PROCESS = new Step.Wait(Long.MAX_VALUE);

    /**
     * Time lost while all processes were busy is not made up for beyond this: a burst after each
     * fault would be no steady load.
     */
    private static final long CATCH_UP_NANOS = 20_000_000;

    private Generators() {}

    /** Draws an operation for a process. */
    @FunctionalInterface
    public interface Draw {
        /** Null where this process has nothing to do at the moment. */
        @Nullable Operation forProcess(long process);
    }

    /** Operations without end, each by a free process that is drawn as well. */
    public static Generator operations(SplittableRandom random, Draw draw) {
        return context -> {
            List<Long> left = new ArrayList<>(context.freeProcesses());
            while (!left.isEmpty()) {
                long process = left.remove(random.nextInt(left.size()));
                Operation operation = draw.forProcess(process);
                if (operation != null) {
                    return new Step.Do(process, operation);
                }
            }
            return WAIT_FOR_A_PROCESS;
        };
    }

    /** Each of these once, in this order, by the first process that is free. */
    public static Generator each(List<Operation> operations) {
        return new Generator() {
            private int at;

            @Override
            public Step next(Context context) {
                if (at == operations.size()) {
                    return EXHAUSTED;
                }
                return context.freeProcesses().isEmpty()
                        ? WAIT_FOR_A_PROCESS
                        : new Step.Do(context.freeProcesses().getFirst(), operations.get(at++));
            }
        };
    }

    /**
     * Each time one of several, drawn evenly; those that are exhausted no longer count. One that
     * has to wait leaves its turn to the others.
     */
    public static Generator mix(SplittableRandom random, List<Generator> generators) {
        return new Generator() {
            private final List<Generator> left = new ArrayList<>(generators);

            @Override
            public Step next(Context context) {
                List<Generator> order = new ArrayList<>(left);
                Soonest soonest = new Soonest();
                while (!order.isEmpty()) {
                    Generator drawn = order.remove(random.nextInt(order.size()));
                    Step step = drawn.next(context);
                    if (step instanceof Step.Do) {
                        return step;
                    }
                    if (step instanceof Step.Exhausted) {
                        left.remove(drawn);
                    }
                    soonest.add(step);
                }
                return soonest.step();
            }

            @Override
            public void completed(HistoryEvent completion) {
                left.forEach(generator -> generator.completed(completion));
            }
        };
    }

    /** Starts spaced by [0, 2 × {@code meanNanos}), drawn evenly. */
    public static Generator stagger(long meanNanos, SplittableRandom random, Generator generator) {
        return new Generator() {
            private long nextStartNanos;

            @Override
            public Step next(Context context) {
                long now = context.nowNanos();
                if (now < nextStartNanos) {
                    return new Step.Wait(nextStartNanos);
                }
                Step step = generator.next(context);
                if (step instanceof Step.Do) {
                    nextStartNanos =
                            Math.max(nextStartNanos, now - CATCH_UP_NANOS)
                                    + (long) (random.nextDouble() * 2 * meanNanos);
                }
                return step;
            }

            @Override
            public void completed(HistoryEvent completion) {
                generator.completed(completion);
            }
        };
    }

    /** At most {@code operationCount} operations. */
    public static Generator limit(long operationCount, Generator generator) {
        return new Generator() {
            private long left = operationCount;

            @Override
            public Step next(Context context) {
                if (left == 0) {
                    return EXHAUSTED;
                }
                Step step = generator.next(context);
                left -= step instanceof Step.Do ? 1 : 0;
                return step;
            }

            @Override
            public void completed(HistoryEvent completion) {
                generator.completed(completion);
            }
        };
    }

    /** Nothing more once {@code lastsNanos} have passed since it was first asked. */
    public static Generator timeLimit(long lastsNanos, Generator generator) {
        return new Generator() {
            private long endNanos = -1;

            @Override
            public Step next(Context context) {
                if (endNanos < 0) {
                    endNanos = context.nowNanos() + lastsNanos;
                }
                if (context.nowNanos() >= endNanos) {
                    return EXHAUSTED;
                }
                Step step = generator.next(context);
                return step instanceof Step.Wait(long until)
                        ? new Step.Wait(Math.min(until, endNanos))
                        : step;
            }

            @Override
            public void completed(HistoryEvent completion) {
                generator.completed(completion);
            }
        };
    }

    /** One after the other; the next begins when every operation of the one before has ended. */
    public static Generator phases(List<Generator> phases) {
        return new Generator() {
            private final Set<Long> outstanding = new HashSet<>();
            private int at;

            @Override
            public Step next(Context context) {
                while (at < phases.size()) {
                    Step step = phases.get(at).next(context);
                    if (step instanceof Step.Do(long process, _)) {
                        outstanding.add(process);
                    }
                    if (!(step instanceof Step.Exhausted)) {
                        return step;
                    }
                    if (!outstanding.isEmpty()) {
                        return WAIT_FOR_A_PROCESS;
                    }
                    at++;
                }
                return EXHAUSTED;
            }

            @Override
            public void completed(HistoryEvent completion) {
                outstanding.remove(completion.process());
                if (at < phases.size()) {
                    phases.get(at).completed(completion);
                }
            }
        };
    }

    /**
     * The first {@code threadCount} threads do only {@code reserved}, all others only {@code rest}.
     * Who is asked first is drawn by how many of either are free, so neither starves the other.
     */
    public static Generator reserve(
            int threadCount, SplittableRandom random, Generator reserved, Generator rest) {
        return new Generator() {
            @Override
            public Step next(Context context) {
                Context ours = context.where(p -> context.thread(p) < threadCount);
                Context theirs = context.where(p -> context.thread(p) >= threadCount);
                int free = context.freeProcesses().size();
                boolean oursFirst = free == 0 || random.nextInt(free) < ours.freeProcesses().size();
                Step first = oursFirst ? reserved.next(ours) : rest.next(theirs);
                if (first instanceof Step.Do) {
                    return first;
                }
                Step second = oursFirst ? rest.next(theirs) : reserved.next(ours);
                return second instanceof Step.Do
                        ? second
                        : new Soonest().add(first).add(second).step();
            }

            @Override
            public void completed(HistoryEvent completion) {
                reserved.completed(completion);
                rest.completed(completion);
            }
        };
    }

    /** The same operation again and again, one at a time, until it succeeds once. */
    public static Generator untilOk(Operation operation) {
        return new Generator() {
            private long process = Long.MIN_VALUE;
            private boolean succeeded;

            @Override
            public Step next(Context context) {
                if (succeeded) {
                    return EXHAUSTED;
                }
                if (process != Long.MIN_VALUE || context.freeProcesses().isEmpty()) {
                    return WAIT_FOR_A_PROCESS;
                }
                process = context.freeProcesses().getFirst();
                return new Step.Do(process, operation);
            }

            @Override
            public void completed(HistoryEvent completion) {
                if (completion.process() == process) {
                    process = Long.MIN_VALUE;
                    succeeded |= completion.type() == Type.OK;
                }
            }
        };
    }

    /**
     * A generator of its own for every thread.
     *
     * @param make called once for each thread, 0 to concurrency - 1
     */
    public static Generator eachThread(LongFunction<Generator> make) {
        return new Generator() {
            private final Map<Long, Generator> generators = new TreeMap<>();

            @Override
            public Step next(Context context) {
                for (long thread = 0; thread < context.concurrency(); thread++) {
                    generators.computeIfAbsent(thread, make::apply);
                }
                Soonest soonest = new Soonest();
                for (Map.Entry<Long, Generator> entry : generators.entrySet()) {
                    long thread = entry.getKey();
                    Step step =
                            entry.getValue().next(context.where(p -> context.thread(p) == thread));
                    if (step instanceof Step.Do) {
                        return step;
                    }
                    soonest.add(step);
                }
                return soonest.step();
            }

            @Override
            public void completed(HistoryEvent completion) {
                generators.values().forEach(generator -> generator.completed(completion));
            }
        };
    }

    /** Clients do the one, the nemesis the other, neither waiting for the other. */
    public static Generator beside(Generator clients, Generator nemesis) {
        return new Generator() {
            @Override
            public Step next(Context context) {
                Step fault = nemesis.next(context.where(p -> p == HistoryEvent.NEMESIS));
                if (fault instanceof Step.Do) {
                    return fault;
                }
                Step operation = clients.next(context.where(p -> p != HistoryEvent.NEMESIS));
                return operation instanceof Step.Do
                        ? operation
                        : new Soonest().add(fault).add(operation).step();
            }

            @Override
            public void completed(HistoryEvent completion) {
                (completion.process() == HistoryEvent.NEMESIS ? nemesis : clients)
                        .completed(completion);
            }
        };
    }

    /** Works for {@code workNanos}, then starts nothing for {@code restNanos}, and so on. */
    public static Generator bursts(long workNanos, long restNanos, Generator generator) {
        return new Generator() {
            @Override
            public Step next(Context context) {
                long cycleNanos = workNanos + restNanos;
                long at = context.nowNanos() % cycleNanos;
                return at < workNanos
                        ? generator.next(context)
                        : new Step.Wait(context.nowNanos() - at + cycleNanos);
            }

            @Override
            public void completed(HistoryEvent completion) {
                generator.completed(completion);
            }
        };
    }

    /** What several together have to say, none of which has something to do. */
    private static final class Soonest {
        private boolean waits;
        private long untilNanos = Long.MAX_VALUE;

        Soonest add(Step step) {
            if (step instanceof Step.Wait(long until)) {
                waits = true;
                untilNanos = Math.min(untilNanos, until);
            }
            return this;
        }

        Step step() {
            return waits ? new Step.Wait(untilNanos) : EXHAUSTED;
        }
    }
}
