package raft.harness.checker;

import org.jspecify.annotations.Nullable;

import raft.harness.checker.Outcome.Fits;
import raft.harness.history.Value;

import java.util.Arrays;
import java.util.Collections;

/**
 * Mends an order of a register's operations that keeps to real time, and explains every answer but
 * those of some refused cas: they stand where the value is the one they expected. Around each such
 * place a stretch of the order is searched anew, a longer one where that is not enough.
 *
 * <p>A stretch can be put into any order that keeps to real time by itself, starts from the value
 * before it and ends with the value behind it: what stands outside is on the same side of each of
 * its operations as before. A crashed operation that is not in the order yet may be put into the
 * stretch when it was invoked before some operation that stands in or before it: that one stands
 * before all that follow, so none of those had ended before the crashed one began.
 */
final class Mending {
    /** How far a stretch reaches to both sides at first and at last. */
    private static final int REACH_FIRST = 16;

    private static final int REACH_LAST = 1024;
    private static final int WIDTH = 64;

    private final RegisterPart part;
    private final Meter.Gauge gauge;
    private final int[] given;
    private final IntList order;
    private final boolean[] placed;
    // Crashed operations that the order does without, as they were invoked.
    private final IntList spares = new IntList();
    private final int[] local;
    private int latestCall = -1;

    private Mending(RegisterPart part, int[] given, Meter.Gauge gauge) {
        this.part = part;
        this.given = given;
        this.gauge = gauge;
        order = new IntList(given.length);
        placed = new boolean[part.operationCount()];
        local = new int[part.values().size()];
        Arrays.fill(local, -1);
    }

    /** The mended order, or null where it could not be mended. */
    static int @Nullable [] of(RegisterPart part, int[] order, Meter.Gauge gauge) {
        return new Mending(part, order, gauge).mended();
    }

    private int @Nullable [] mended() {
        for (int operation : given) {
            placed[operation] = true;
        }
        for (int i = 0; i < part.operationCount(); i++) {
            if (part.crashed(i) && part.produced(i) >= 0 && !placed[i]) {
                spares.add(i);
            }
        }
        int value = 0;
        for (int next = 0; next < given.length; next++) {
            gauge.check();
            int operation = given[next];
            if (part.kinds()[operation] == RegisterPart.REFUSED
                    && part.first()[operation] == value) {
                int taken = mend(next);
                if (taken == 0) {
                    return null;
                }
                for (int i = next; i < next + taken; i++) {
                    value = after(given[i], value);
                    latestCall = Math.max(latestCall, part.calls()[given[i]]);
                }
                next += taken - 1;
                continue;
            }
            order.add(operation);
            value = after(operation, value);
            latestCall = Math.max(latestCall, part.calls()[operation]);
        }
        return order.toArray();
    }

    private int after(int operation, int value) {
        int produced = part.produced(operation);
        return produced >= 0 ? produced : value;
    }

    /** Returns how many of the given operations were taken into the order, 0 where none could. */
    private int mend(int misfit) {
        for (int reach = REACH_FIRST; reach <= REACH_LAST; reach *= 4) {
            int from = Math.max(0, order.length() - reach);
            int to = Math.min(given.length, misfit + reach);
            if (searched(from, misfit, to, reach)) {
                return to - misfit;
            }
        }
        return 0;
    }

    private boolean searched(int from, int misfit, int to, int sparesMost) {
        int kept = order.length() - from;
        int[] stretch = new int[kept + to - misfit + sparesMost];
        int length = 0;
        for (int i = from; i < order.length(); i++) {
            stretch[length++] = order.at(i);
        }
        int latest = latestCall;
        for (int i = misfit; i < to; i++) {
            stretch[length++] = given[i];
            latest = Math.max(latest, part.calls()[given[i]]);
        }
        int before = valueBefore(from);
        int behind = before;
        for (int i = 0; i < length; i++) {
            behind = after(stretch[i], behind);
        }
        for (int i = sparesBefore(latest) - 1, n = 0; i >= 0 && n < sparesMost; i--) {
            if (!placed[spares.at(i)]) {
                stretch[length++] = spares.at(i);
                n++;
            }
        }
        // At the very end any value will do.
        int wanted = to < given.length ? behind : -1;
        RegisterPart alone = alone(Arrays.copyOf(stretch, length), before, wanted);
        var check = new RegisterCheck(alone, gauge, true, RegisterCheck.Ways.ALL, WIDTH);
        if (!(check.beam() instanceof Fits(int[] found)) || found == null) {
            return false;
        }
        order.truncate(from);
        for (int operation : found) {
            if (operation < length) {
                order.add(stretch[operation]);
                placed[stretch[operation]] = true;
            }
        }
        return true;
    }

    private int valueBefore(int index) {
        for (int i = index - 1; i >= 0; i--) {
            int produced = part.produced(order.at(i));
            if (produced >= 0) {
                return produced;
            }
        }
        return 0;
    }

    /** How many of the spares were invoked before a place. */
    private int sparesBefore(int place) {
        int low = 0;
        int high = spares.length();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (part.calls()[spares.at(middle)] < place) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** The operations as a history of their own, which ends with a read of the wanted value. */
    private RegisterPart alone(int[] stretch, int before, int wanted) {
        int count = stretch.length + (wanted >= 0 ? 1 : 0);
        long[] keys = new long[2 * stretch.length];
        int eventCount = 0;
        for (int i = 0; i < stretch.length; i++) {
            int operation = stretch[i];
            keys[eventCount++] = (long) part.calls()[operation] << 32 | (2L * i);
            if (!part.crashed(operation)) {
                keys[eventCount++] = (long) part.returns()[operation] << 32 | (2L * i + 1);
            }
        }
        Arrays.sort(keys, 0, eventCount);
        int last = stretch.length;
        int[] events = new int[eventCount + 2 * (count - last)];
        for (int i = 0; i < eventCount; i++) {
            events[i] = (int) keys[i];
        }
        for (int i = eventCount; i < events.length; i++) {
            events[i] = last << 1 | (i - eventCount);
        }
        int[] calls = new int[count];
        int[] returns = new int[count];
        Arrays.fill(returns, RegisterPart.NEVER);
        for (int i = 0; i < events.length; i++) {
            ((events[i] & 1) == 0 ? calls : returns)[events[i] >> 1] = i;
        }
        var used = new IntList(count);
        number(before, used);
        byte[] kinds = new byte[count];
        int[] first = new int[count];
        int[] second = new int[count];
        for (int i = 0; i < stretch.length; i++) {
            kinds[i] = part.kinds()[stretch[i]];
            first[i] = number(part.first()[stretch[i]], used);
            int then = part.second()[stretch[i]];
            second[i] = then < 0 ? -1 : number(then, used);
        }
        if (wanted >= 0) {
            kinds[last] = RegisterPart.READ;
            first[last] = number(wanted, used);
            second[last] = -1;
        }
        for (int i = 0; i < used.length(); i++) {
            local[used.at(i)] = -1;
        }
        return new RegisterPart(
                new Part(Value.NIL, events, calls, returns),
                kinds,
                first,
                second,
                calls,
                returns,
                Collections.nCopies(used.length(), Value.NIL));
    }

    private int number(int value, IntList used) {
        if (local[value] < 0) {
            local[value] = used.length();
            used.add(value);
        }
        return local[value];
    }
}
