package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Outcome.Fits;
import raft.harness.checker.Outcome.GaveUp;
import raft.harness.checker.Outcome.Impossible;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Judges one register: cheap rejections, then the way without search where values are unique, then
 * beams that widen where they fail, then the search that leaves nothing out.
 */
final class RegisterCheck {
    /**
     * Which ways are taken; the tests compare them.
     *
     * @param sweepEvery after how many completions crashed operations are sorted anew
     */
    record Ways(
            boolean rejections, boolean unique, boolean beams, boolean relaxed, int sweepEvery) {
        static final Ways ALL = new Ways(true, true, true, true, 256);
    }

    private static final int BASE_WIDTH = 48;
    private static final int SNAPSHOT_EVENTS = 128;
    private static final int SNAPSHOTS_KEPT = 64;
    private static final int GROWTH = 8;
    private static final int WIDEST_BEAM = 1 << 16;

    private final RegisterPart part;
    private final Meter.Gauge gauge;
    private final boolean traced;
    private final Ways ways;
    private final int baseWidth;
    private @Nullable GaveUp furthest;

    RegisterCheck(RegisterPart part, Meter.Gauge gauge, boolean traced, Ways ways, int baseWidth) {
        this.part = part;
        this.gauge = gauge;
        this.traced = traced;
        this.ways = ways;
        this.baseWidth = baseWidth > 0 ? baseWidth : BASE_WIDTH;
    }

    Outcome judge() {
        Outcome outcome = withoutSearch();
        return outcome == null ? search() : outcome;
    }

    /** Null where only a search can tell. */
    @Nullable Outcome withoutSearch() {
        if (ways.rejections()) {
            Outcome rejected = Rejections.of(part);
            if (rejected != null) {
                return rejected;
            }
        }
        if (ways.unique()) {
            Outcome outcome = UniqueValues.judge(part, gauge);
            if (outcome instanceof Impossible) {
                return outcome;
            }
            // An order is believed only after it has been replayed.
            if (outcome instanceof Fits(int[] order) && order != null && replays(order)) {
                return outcome;
            }
        }
        return null;
    }

    /** Only by searching, in beams and at last with nothing left out. */
    Outcome search() {
        var future = RegisterSearch.Future.of(part);
        if (ways.beams()) {
            Outcome outcome = beams(future);
            if (outcome != null) {
                return outcome;
            }
        }
        if (ways.relaxed() && crashedAny()) {
            Outcome outcome = whole(search(future, 0, true, false));
            if (outcome instanceof Impossible || outcome instanceof GaveUp) {
                return furthestOf(outcome);
            }
        }
        return furthestOf(whole(search(future, 0, false, traced)));
    }

    /**
     * One walk with a beam of the first width, which proves nothing where it does not get through.
     */
    Outcome beam() {
        return whole(search(RegisterSearch.Future.of(part), baseWidth, false, traced));
    }

    private RegisterSearch search(
            RegisterSearch.Future future, int width, boolean relaxed, boolean withTrace) {
        return new RegisterSearch(
                part, future, gauge, width, relaxed, withTrace, ways.sweepEvery());
    }

    private boolean crashedAny() {
        for (int i = 0; i < part.operationCount(); i++) {
            if (part.crashed(i)) {
                return true;
            }
        }
        return false;
    }

    private Outcome whole(RegisterSearch search) {
        while (search.at() < part.part().events().length) {
            search.forget(List.of());
            switch (search.advance()) {
                case GOES_ON -> {}
                case STUCK -> {
                    return new Impossible(search.at(), null, new int[0], search.possibleStates(5));
                }
                case SPENT -> {
                    return gaveUp(search);
                }
            }
        }
        return fits(search);
    }

    /**
     * Walks with a narrow beam; where it gets stuck goes back and tries that stretch again, wider
     * and from further back each time. Any configuration that reaches the end proves the history
     * valid, whatever was left out on the way. Null when widening has come to its end.
     */
    private @Nullable Outcome beams(RegisterSearch.Future future) {
        var search = search(future, baseWidth, false, traced);
        search.restore(search.snapshot(), false);
        Deque<RegisterSearch.Snapshot> snapshots = new ArrayDeque<>();
        int eventCount = part.part().events().length;
        int width = baseWidth;
        int attempt = 0;
        int stuckAt = -1;
        while (search.at() < eventCount) {
            int at = search.at();
            if (at % SNAPSHOT_EVENTS == 0
                    && (snapshots.isEmpty() || snapshots.getLast().at() < at)) {
                if (snapshots.size() == SNAPSHOTS_KEPT) {
                    thin(snapshots);
                }
                snapshots.addLast(search.snapshot());
            }
            search.forget(snapshots);
            if (width > baseWidth && at > stuckAt + SNAPSHOT_EVENTS) {
                width = baseWidth;
                search.width(width);
                search.restore(search.snapshot(), false);
                attempt = 0;
            }
            switch (search.advance()) {
                case GOES_ON -> {}
                case SPENT -> {
                    return gaveUp(search);
                }
                case STUCK -> {
                    if (!search.dropped()) {
                        return new Impossible(at, null, new int[0], search.possibleStates(5));
                    }
                    stuckAt = Math.max(stuckAt, at);
                    attempt++;
                    width = (int) Math.min(WIDEST_BEAM, (long) width * GROWTH);
                    if (attempt > 6) {
                        note(search);
                        return null;
                    }
                    int back = SNAPSHOT_EVENTS << attempt;
                    while (snapshots.size() > 1 && snapshots.getLast().at() > at - back) {
                        snapshots.removeLast();
                    }
                    search.restore(snapshots.getLast(), attempt > 1);
                    search.width(width);
                }
            }
        }
        return fits(search);
    }

    /** Keeps the first, the latest half, and every other one of the rest. */
    private static void thin(Deque<RegisterSearch.Snapshot> snapshots) {
        List<RegisterSearch.Snapshot> all = List.copyOf(snapshots);
        snapshots.clear();
        for (int i = 0; i < all.size(); i++) {
            if (i == 0 || i >= all.size() / 2 || i % 2 == 0) {
                snapshots.addLast(all.get(i));
            }
        }
    }

    private GaveUp gaveUp(RegisterSearch search) {
        note(search);
        return furthest == null
                ? new GaveUp(search.at(), search.openCount(), search.frontierCount())
                : furthest;
    }

    private void note(RegisterSearch search) {
        if (furthest == null || search.at() > furthest.atEvent()) {
            furthest = new GaveUp(search.at(), search.openCount(), search.frontierCount());
        }
    }

    private Outcome furthestOf(Outcome outcome) {
        return outcome instanceof GaveUp && furthest != null ? furthest : outcome;
    }

    private Outcome fits(RegisterSearch search) {
        int[] order = search.order();
        if (order == null) {
            return new Fits(null);
        }
        return new Fits(withHidden(order));
    }

    /**
     * Puts each hidden write, marked by its complement, to the latest place at which it is not
     * seen: directly before another write, or where its value is current anyway. It was hidden at
     * such a place after it had been invoked, so everything behind the latest one ended after that.
     */
    private int[] withHidden(int[] order) {
        var result = new IntList(order.length);
        var valueAfter = new IntList(order.length);
        for (int entry : order) {
            int operation = entry < 0 ? ~entry : entry;
            int place = result.length();
            if (entry < 0) {
                while (!hides(result, valueAfter, place, part.first()[operation])) {
                    place--;
                }
            }
            int before = place == 0 ? 0 : valueAfter.at(place - 1);
            int produced = part.produced(operation);
            result.insert(place, operation);
            valueAfter.insert(place, produced >= 0 ? produced : before);
        }
        return result.toArray();
    }

    private boolean hides(IntList order, IntList valueAfter, int place, int value) {
        int current = place == 0 ? 0 : valueAfter.at(place - 1);
        return current == value
                || (place < order.length() && part.kinds()[order.at(place)] == RegisterPart.WRITE);
    }

    /** Whether an order explains every answer and keeps to real time. */
    boolean replays(int[] order) {
        return replays(part, order);
    }

    static boolean replays(RegisterPart part, int[] order) {
        int value = 0;
        int latestCall = -1;
        boolean[] seen = new boolean[part.operationCount()];
        for (int operation : order) {
            if (seen[operation] || part.returns()[operation] < latestCall) {
                return false;
            }
            seen[operation] = true;
            latestCall = Math.max(latestCall, part.calls()[operation]);
            boolean matches = part.first()[operation] == value;
            if (part.kinds()[operation] == RegisterPart.REFUSED
                    ? matches
                    : part.needed(operation) >= 0 && !matches) {
                return false;
            }
            int produced = part.produced(operation);
            value = produced >= 0 ? produced : value;
        }
        for (int i = 0; i < seen.length; i++) {
            if (!seen[i] && !part.crashed(i)) {
                return false;
            }
        }
        return true;
    }
}
