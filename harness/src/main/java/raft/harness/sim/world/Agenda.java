package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What is to come, earliest first: a binary heap. */
final class Agenda {
    private @Nullable Happening[] heap = new Happening[256];
    private int size;

    boolean isEmpty() {
        return size == 0;
    }

    /** Long.MAX_VALUE where nothing is to come. */
    long nextNanos() {
        Happening first = heap[0];
        return size == 0 || first == null ? Long.MAX_VALUE : first.timeNanos();
    }

    /** The earliest; null where nothing is to come. */
    @Nullable Happening first() {
        return size == 0 ? null : heap[0];
    }

    void add(Happening happening) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        int at = size++;
        while (at > 0) {
            int parent = (at - 1) >>> 1;
            Happening above = at(parent);
            if (!happening.before(above)) {
                break;
            }
            heap[at] = above;
            at = parent;
        }
        heap[at] = happening;
    }

    /** Takes the earliest; there must be one. */
    Happening remove() {
        Happening first = at(0);
        Happening last = at(--size);
        heap[size] = null;
        if (size > 0) {
            sink(last);
        }
        return first;
    }

    /** All that is to come, in no particular order. */
    List<Happening> all() {
        List<Happening> all = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            all.add(at(i));
        }
        return all;
    }

    /** Takes the one with this number away; null where there is none. */
    @Nullable Happening remove(long sequence) {
        for (Happening happening : all()) {
            if (happening.sequence() == sequence) {
                List<Happening> others = all();
                others.remove(happening);
                Arrays.fill(heap, null);
                size = 0;
                others.forEach(this::add);
                return happening;
            }
        }
        return null;
    }

    private void sink(Happening happening) {
        int at = 0;
        while (true) {
            int child = 2 * at + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && at(child + 1).before(at(child))) {
                child++;
            }
            if (!at(child).before(happening)) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = happening;
    }

    private Happening at(int place) {
        Happening happening = heap[place];
        if (happening == null) {
            throw new IllegalStateException("nothing is at place " + place);
        }
        return happening;
    }
}
