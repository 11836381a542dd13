package raft.harness.nemesis;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Every kind of fault, as a pure function from the members and the leader to a {@link FaultAction}.
 *
 * <p>The members come in an order that the plan drew from its seed, so that "a random minority" is
 * the same nodes whenever the plan is replayed. Kinds that aim at the leader take the one that
 * leads when the fault's time comes; where none is known, the first of the order.
 */
public enum FaultKind {
    /** Two sides as equal as can be. */
    PARTITION_HALVES(Family.PARTITION, false) {
        @Override
        FaultAction decide(List<String> order) {
            return split(order, order.size() / 2);
        }
    },
    /** The largest minority against a majority. */
    PARTITION_MINORITY(Family.PARTITION, false) {
        @Override
        FaultAction decide(List<String> order) {
            return split(order, minority(order));
        }
    },
    /** The leader against everybody else: the fault that found most real bugs. */
    PARTITION_LEADER_ALONE(Family.PARTITION, true) {
        @Override
        FaultAction decide(List<String> order) {
            return split(order, 1);
        }
    },
    /** The leader together with a minority; the others can elect another. */
    PARTITION_LEADER_MINORITY(Family.PARTITION, true) {
        @Override
        FaultAction decide(List<String> order) {
            return split(order, minority(order));
        }
    },
    /** What the first half sends never reaches the other; the other direction works. */
    PARTITION_ONE_WAY(Family.PARTITION, false) {
        @Override
        FaultAction decide(List<String> order) {
            int half = order.size() / 2;
            return new FaultAction.Cut(
                    links(order.subList(0, half), order.subList(half, order.size())));
        }
    },
    /** The leader hears everybody and nobody hears the leader. */
    PARTITION_LEADER_MUTE(Family.PARTITION, true) {
        @Override
        FaultAction decide(List<String> order) {
            return new FaultAction.Cut(links(order.subList(0, 1), order.subList(1, order.size())));
        }
    },
    /** Everybody hears the leader, the leader hears nobody. */
    PARTITION_LEADER_DEAF(Family.PARTITION, true) {
        @Override
        FaultAction decide(List<String> order) {
            return new FaultAction.Cut(links(order.subList(1, order.size()), order.subList(0, 1)));
        }
    },
    KILL_ONE(Family.KILL, false) {
        @Override
        FaultAction decide(List<String> order) {
            return new FaultAction.Kill(order.subList(0, 1));
        }
    },
    KILL_LEADER(Family.KILL, true) {
        @Override
        FaultAction decide(List<String> order) {
            return new FaultAction.Kill(order.subList(0, 1));
        }
    },
    KILL_MINORITY(Family.KILL, false) {
        @Override
        FaultAction decide(List<String> order) {
            return new FaultAction.Kill(order.subList(0, minority(order)));
        }
    },
    KILL_MAJORITY(Family.KILL, false) {
        @Override
        FaultAction decide(List<String> order) {
            return new FaultAction.Kill(order.subList(0, order.size() / 2 + 1));
        }
    },
    KILL_ALL(Family.KILL, false) {
        @Override
        FaultAction decide(List<String> order) {
            return new FaultAction.Kill(order);
        }
    },
    PAUSE_ONE(Family.PAUSE, false) {
        @Override
        FaultAction decide(List<String> order) {
            return new FaultAction.Pause(order.subList(0, 1));
        }
    },
    PAUSE_LEADER(Family.PAUSE, true) {
        @Override
        FaultAction decide(List<String> order) {
            return new FaultAction.Pause(order.subList(0, 1));
        }
    },
    PAUSE_MAJORITY(Family.PAUSE, false) {
        @Override
        FaultAction decide(List<String> order) {
            return new FaultAction.Pause(order.subList(0, order.size() / 2 + 1));
        }
    };

    /** What people ask for on the command line. */
    public enum Family {
        PARTITION,
        KILL,
        PAUSE;

        /** As written on the command line and in results. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final Family family;
    private final boolean aimsAtLeader;

    FaultKind(Family family, boolean aimsAtLeader) {
        this.family = family;
        this.aimsAtLeader = aimsAtLeader;
    }

    /**
     * What this kind means here and now.
     *
     * @param order all members, in the order that the plan drew
     * @param leader who leads now, null where nobody is known to
     */
    public FaultAction resolve(List<String> order, @Nullable String leader) {
        if (!aimsAtLeader || leader == null || !order.contains(leader)) {
            return decide(order);
        }
        List<String> leaderFirst = new ArrayList<>(order);
        leaderFirst.remove(leader);
        leaderFirst.addFirst(leader);
        return decide(leaderFirst);
    }

    /** Decides for members of whom the first is the leader, where that matters. */
    abstract FaultAction decide(List<String> order);

    public Family family() {
        return family;
    }

    /** Whether a working cluster must elect another leader while this lasts. */
    public boolean aimsAtLeader() {
        return aimsAtLeader;
    }

    /** As written in plans and histories, "partition-leader-alone" say. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * @throws IllegalArgumentException naming all kinds
     */
    public static FaultKind ofLabel(String label) {
        return Stream.of(values())
                .filter(kind -> kind.label().equals(label))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "no fault is called '"
                                                + label
                                                + "'; there are "
                                                + Stream.of(values())
                                                        .map(FaultKind::label)
                                                        .toList()));
    }

    private static int minority(List<String> order) {
        return Math.max(1, (order.size() - 1) / 2);
    }

    private static FaultAction split(List<String> order, int firstSideCount) {
        List<String> first = order.subList(0, firstSideCount);
        List<String> second = order.subList(firstSideCount, order.size());
        List<Link> cut = new ArrayList<>(links(first, second));
        cut.addAll(links(second, first));
        return new FaultAction.Cut(cut);
    }

    private static List<Link> links(List<String> from, List<String> to) {
        return from.stream()
                .flatMap(sender -> to.stream().map(receiver -> new Link(sender, receiver)))
                .toList();
    }
}
