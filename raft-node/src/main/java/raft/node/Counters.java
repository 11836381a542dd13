package raft.node;

import raft.node.Status.Count;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** What the node counts since it started. Each is written by whoever sees the event. */
final class Counters {
    final AtomicLong electionsStarted = new AtomicLong();
    final AtomicLong electionsWon = new AtomicLong();
    final AtomicLong stepDowns = new AtomicLong();

    final AtomicLong framesSent = new AtomicLong();
    final AtomicLong framesReceived = new AtomicLong();
    final AtomicLong framesDropped = new AtomicLong();
    final AtomicLong peerConnects = new AtomicLong();
    final AtomicLong peerRefusals = new AtomicLong();
    final AtomicLong peerProtocolErrors = new AtomicLong();

    /** Frames of peers whose checksum did not match. */
    final AtomicLong checksumErrors = new AtomicLong();

    final AtomicLong fsyncs = new AtomicLong();
    final AtomicLong fsyncNanosTotal = new AtomicLong();
    final AtomicLong fsyncNanosMax = new AtomicLong();
    final AtomicLong walBytes = new AtomicLong();
    final AtomicLong snapshotsTaken = new AtomicLong();
    final AtomicLong snapshotsInstalled = new AtomicLong();
    final AtomicLong truncations = new AtomicLong();

    final AtomicLong clientConnections = new AtomicLong();
    final AtomicLong clientRefusals = new AtomicLong();
    final AtomicLong clientProtocolErrors = new AtomicLong();
    final AtomicLong requests = new AtomicLong();
    final AtomicLong repliesOk = new AtomicLong();
    final AtomicLong repliesRefused = new AtomicLong();
    final AtomicLong repliesUnknown = new AtomicLong();

    /** Repetitions that got the answer that their session kept. */
    final AtomicLong sessionDuplicates = new AtomicLong();

    List<Count> snapshot() {
        return List.of(
                new Count("electionsStarted", electionsStarted.get()),
                new Count("electionsWon", electionsWon.get()),
                new Count("stepDowns", stepDowns.get()),
                new Count("framesSent", framesSent.get()),
                new Count("framesReceived", framesReceived.get()),
                new Count("framesDropped", framesDropped.get()),
                new Count("peerConnects", peerConnects.get()),
                new Count("peerRefusals", peerRefusals.get()),
                new Count("peerProtocolErrors", peerProtocolErrors.get()),
                new Count("checksumErrors", checksumErrors.get()),
                new Count("fsyncs", fsyncs.get()),
                new Count("fsyncNanosTotal", fsyncNanosTotal.get()),
                new Count("fsyncNanosMax", fsyncNanosMax.get()),
                new Count("walBytes", walBytes.get()),
                new Count("snapshotsTaken", snapshotsTaken.get()),
                new Count("snapshotsInstalled", snapshotsInstalled.get()),
                new Count("truncations", truncations.get()),
                new Count("clientConnections", clientConnections.get()),
                new Count("clientRefusals", clientRefusals.get()),
                new Count("clientProtocolErrors", clientProtocolErrors.get()),
                new Count("requests", requests.get()),
                new Count("repliesOk", repliesOk.get()),
                new Count("repliesRefused", repliesRefused.get()),
                new Count("repliesUnknown", repliesUnknown.get()),
                new Count("sessionDuplicates", sessionDuplicates.get()));
    }

    /** Of the storage thread only. */
    void countFsync(long nanos, int bytes) {
        fsyncs.incrementAndGet();
        fsyncNanosTotal.addAndGet(nanos);
        walBytes.addAndGet(bytes);
        if (nanos > fsyncNanosMax.get()) {
            fsyncNanosMax.set(nanos);
        }
    }
}
