package raft.node;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes the event loop's share of {@link Timings}: one look at the clock at either end of a turn.
 */
final class Stopwatch {
    private final Timings timings;
    private final NodeClock clock;
    private final ArrayDeque<Handed> handed = new ArrayDeque<>();
    private final ArrayList<ClientCall> taken = new ArrayList<>();
    private long turnNanos;

    private record Handed(long ticket, long nanos) {}

    Stopwatch(Timings timings, NodeClock clock) {
        this.timings = timings;
        this.clock = clock;
    }

    void turnStarts(int inputCount) {
        turnNanos = clock.nanoTime();
        taken.clear();
        if (inputCount > 0) {
            timings.turnInputs.record(inputCount);
        }
    }

    void taken(ClientCall call) {
        call.takenNanos = turnNanos;
        if (!call.isRead()) {
            taken.add(call);
        }
        timings.queue.record(turnNanos - call.receivedNanos());
    }

    void handedToDisk(long ticket) {
        handed.addLast(new Handed(ticket, turnNanos));
        long now = taken.isEmpty() ? turnNanos : clock.nanoTime();
        for (ClientCall call : taken) {
            call.handedNanos = now;
            timings.append.record(now - turnNanos);
        }
        taken.clear();
    }

    void durable(long ticket) {
        while (!handed.isEmpty() && handed.peekFirst().ticket <= ticket) {
            timings.durable.record(turnNanos - handed.removeFirst().nanos);
        }
    }

    void committed(ClientCall call) {
        timings.commit.record(turnNanos - call.takenNanos);
        if (call.handedNanos != 0) {
            timings.quorum.record(turnNanos - call.handedNanos);
        }
    }

    void answered(List<ClientServer.Answered> answers) {
        long now = clock.nanoTime();
        for (ClientServer.Answered answered : answers) {
            ClientCall call = answered.call();
            if (call.isRead()) {
                timings.read.record(now - call.receivedNanos());
            } else {
                timings.apply.record(now - turnNanos);
            }
        }
    }
}
