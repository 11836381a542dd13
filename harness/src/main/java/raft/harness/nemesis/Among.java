package raft.harness.nemesis;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * The members as a kind of fault sees them when it decides: voters first, and first of all the
 * leader where the kind aims at it. Pure; every method is one shape of a fault.
 *
 * @param order voters, then the other members
 * @param voterCount at least 1
 */
record Among(List<String> order, int voterCount) {
    static final Parameter JUMP =
            Parameter.of(
                    "offsetMillis",
                    -86_400_000L,
                    86_400_000L,
                    // Both ways, evenly over the magnitudes: 11 ms … 288 s.
                    -4_100,
                    11,
                    -11,
                    150,
                    -150,
                    1_700,
                    -1_700,
                    16_000,
                    -16_000,
                    288_000,
                    -288_000);
    static final Parameter STROBE =
            Parameter.of("offsetMillis", -86_400_000L, 86_400_000L, 5_000, 500, -2_000, 60_000);
    static final Parameter LOSS = Parameter.of("percent", 1, 100, 20, 5, 40);
    static final Parameter RATE = Parameter.of("kbitPerSecond", 8, 1_000_000, 256, 64, 1_024);
    static final Parameter DELAY = Parameter.of("delayMillis", 1, 60_000, 50, 10, 200);
    static final Parameter SHARE = Parameter.of("percent", 1, 100, 20, 5, 50);
    static final Parameter SYNC = Parameter.of("syncMillis", 1, 60_000, 100, 20, 400);
    static final Parameter CPU = Parameter.of("percent", 1, 100, 20, 5, 50);

    private static final long STROBE_PERIOD_MILLIS = 2_000;

    static Among of(List<String> drawn, View view, boolean leaderFirst) {
        List<String> voters = new ArrayList<>(drawn);
        voters.retainAll(view.voters());
        if (voters.isEmpty()) {
            voters = new ArrayList<>(drawn);
        }
        String leader = view.leader();
        if (leaderFirst && leader != null && voters.remove(leader)) {
            voters.addFirst(leader);
        }
        List<String> order = new ArrayList<>(voters);
        drawn.stream().filter(node -> !order.contains(node)).forEach(order::add);
        return new Among(List.copyOf(order), voters.size());
    }

    int minority() {
        return Math.max(1, (voterCount - 1) / 2);
    }

    int majority() {
        return voterCount / 2 + 1;
    }

    List<String> some(int count) {
        return order.subList(0, count);
    }

    List<String> voters() {
        return some(voterCount);
    }

    String one() {
        return order.getFirst();
    }

    /** The next voter after the first; the first itself in a cluster of one. */
    String second() {
        return order.get(Math.min(1, voterCount - 1));
    }

    List<String> first() {
        return order.subList(0, 1);
    }

    List<String> rest() {
        return order.subList(1, order.size());
    }

    FaultAction cut(List<String> from, List<String> to) {
        return new FaultAction.Cut(links(from, to));
    }

    FaultAction split(int firstSideCount) {
        return new FaultAction.Cut(between(firstSideCount));
    }

    private List<Link> between(int firstSideCount) {
        List<String> one = order.subList(0, firstSideCount);
        List<String> other = order.subList(firstSideCount, order.size());
        List<Link> both = new ArrayList<>(links(one, other));
        both.addAll(links(other, one));
        return both;
    }

    FaultAction majorityEachAlone() {
        List<String> alone = some(majority());
        return new FaultAction.Cut(
                allLinks().stream()
                        .filter(link -> alone.contains(link.from()) || alone.contains(link.to()))
                        .toList());
    }

    /**
     * On a ring in the drawn order everybody hears the window of a bare majority around itself. An
     * even majority has no middle, so there some links are cut only one way.
     */
    FaultAction ring() {
        List<Link> cut = new ArrayList<>();
        for (int receiver = 0; receiver < voterCount; receiver++) {
            for (int ahead = majority(); ahead < voterCount; ahead++) {
                int first = receiver - (majority() - 1) / 2;
                int sender = Math.floorMod(first + ahead, voterCount);
                cut.add(new Link(order.get(sender), order.get(receiver)));
            }
        }
        return new FaultAction.Cut(cut);
    }

    /** The node between is the last of the order, so that both halves are voters. */
    FaultAction bridge() {
        List<String> sides = order.subList(0, order.size() - 1);
        List<String> one = sides.subList(0, sides.size() / 2);
        List<String> other = sides.subList(sides.size() / 2, sides.size());
        List<Link> both = new ArrayList<>(links(one, other));
        both.addAll(links(other, one));
        return new FaultAction.Cut(both);
    }

    FaultAction oneWay() {
        int half = voterCount / 2;
        return cut(order.subList(0, half), order.subList(half, order.size()));
    }

    FaultAction oneLink() {
        return new FaultAction.Cut(firstLink());
    }

    FaultAction flapping(long periodMillis) {
        return new FaultAction.Flap(between(1), periodMillis);
    }

    FaultAction strobe(long offsetMillis) {
        return new FaultAction.ClockStrobe(first(), offsetMillis, STROBE_PERIOD_MILLIS);
    }

    /** A member that does not vote, else a new name beyond all. */
    FaultAction grow() {
        if (voterCount < order.size()) {
            return new FaultAction.AddVoter(order.get(voterCount));
        }
        int highest =
                order.stream()
                        .map(name -> name.replaceAll("\\D", ""))
                        .filter(digits -> !digits.isEmpty() && digits.length() < 9)
                        .mapToInt(Integer::parseInt)
                        .max()
                        .orElse(order.size());
        return new FaultAction.AddVoter("n" + (highest + 1));
    }

    List<Link> allLinks() {
        return links(order, order);
    }

    /** All links from and to the first. */
    List<Link> linksOfFirst() {
        return between(1);
    }

    /** Between the first two, both ways. */
    List<Link> firstLink() {
        List<String> two = order.subList(0, Math.min(2, order.size()));
        return links(two, two);
    }

    private static List<Link> links(List<String> from, List<String> to) {
        return from.stream()
                .flatMap(
                        sender ->
                                to.stream()
                                        .filter(receiver -> !receiver.equals(sender))
                                        .map(receiver -> new Link(sender, receiver)))
                .toList();
    }

    static BiFunction<Among, Long, FaultAction> lossOn(Function<Among, List<Link>> where) {
        return (among, number) ->
                new FaultAction.PacketLoss(where.apply(among), Math.toIntExact(number));
    }

    static BiFunction<Among, Long, FaultAction> rateOn(Function<Among, List<Link>> where) {
        return (among, number) ->
                new FaultAction.PacketRate(where.apply(among), Math.toIntExact(number));
    }

    /** The jitter is half the delay: enough that packets overtake each other now and then. */
    static BiFunction<Among, Long, FaultAction> delayOn(Function<Among, List<Link>> where) {
        return (among, number) ->
                new FaultAction.PacketDelay(
                        where.apply(among), Math.toIntExact(number), Math.toIntExact(number / 2));
    }
}
