package raft.harness.docker;

import raft.harness.nemesis.FaultOutcome;
import raft.harness.nemesis.FaultOutcome.Status;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * One node's disk: its files, changed while the process is down, and the disk's behaviour, changed
 * while it runs through the library of {@code docker/faults/disk.c}, which also knows what was
 * synced. Files are reached from the pod's other container, at {@value #FILES}. Called in the
 * node's lane only.
 */
final class Disks {
    static final String NOT_OURS =
            "only our own node is started with the library for it, other images are used unchanged";

    /** What fills a small volume, beside the node's own files. */
    private static final String FILLER = "/node/.filler";

    /** Where the pod's other container sees the node's files. */
    static final String FILES = "/node";

    private static final String CONTROL = "/raftlab/disk";
    private static final long COMMAND_MILLIS = 20_000;

    /** Words of the control file; see disk.c. */
    private static final int HOLD = 1;

    private static final int SLOW = 2;
    private static final int FULL = 3;
    private static final int BROKEN = 4;
    private static final int HELD = 5;
    private static final int SLOWED = 6;
    private static final int REFUSED = 7;
    private static final int FAILED = 8;
    private static final int SLOTS_AT = 16;
    private static final int SLOT_WORDS = 4;

    /** How long is waited until something is written and not synced. */
    private static final long UNSYNCED_MILLIS = 4_000;

    /** How long a started node may take to show that it will not run. */
    private static final long REFUSAL_MILLIS = 6_000;

    private final Pod pod;
    private final NodeProcess process;
    private final boolean small;
    private final Map<Long, Flip> flips = new HashMap<>();
    private final Map<Long, Integer> slow = new TreeMap<>();
    private final TreeSet<Long> full = new TreeSet<>();
    private final TreeSet<Long> broken = new TreeSet<>();

    private record Flip(String file, long offset, int was, int is) {}

    /**
     * A file of which the end is not synced.
     *
     * @param overZeros whether the file had been made longer before, with zeros where this stands
     */
    private record Unsynced(String file, long synced, long written, boolean overZeros) {}

    /**
     * @param small whether the node's volume is so small that it can be filled for real
     */
    Disks(Pod pod, NodeProcess process, boolean small) {
        this.pod = pod;
        this.process = process;
        this.small = small;
    }

    // ---- Power loss ----

    /**
     * Holds the node's syncs back until something is written that is not synced, kills it there,
     * and cuts off what a disk without power would not have.
     */
    FaultOutcome losePower(long fault, int keptPercent) {
        return guarded(
                () -> {
                    set(HOLD, 1);
                    List<Unsynced> before = awaitUnsynced();
                    FaultOutcome killed = process.kill(fault);
                    List<Unsynced> lost = before.isEmpty() ? before : unsynced();
                    set(HOLD, 0);
                    List<String> evidence = new ArrayList<>(killed.evidence());
                    if (killed.status() != Status.INSTALLED) {
                        return killed;
                    }
                    for (Unsynced file : lost) {
                        long kept = file.synced + (file.written - file.synced) * keptPercent / 100;
                        evidence.add(
                                pod.node()
                                        + " lost "
                                        + (file.written - kept)
                                        + " of "
                                        + (file.written - file.synced)
                                        + " bytes that were not synced: "
                                        + name(file.file)
                                        + (file.overZeros
                                                ? zeroed(file.file, kept, file.written)
                                                : shortened(file.file, kept, file.written)));
                    }
                    forgetSlots();
                    if (lost.isEmpty()) {
                        evidence.add(pod.node() + " had nothing that was not synced");
                    }
                    return new FaultOutcome(
                            lost.isEmpty() ? Status.INDETERMINATE : Status.INSTALLED, evidence);
                });
    }

    private String shortened(String file, long kept, long written) throws IOException {
        cutTo(file, kept);
        return " ends at " + sizeOf(file) + " instead of " + written;
    }

    /** What stood there before: a log that was made long in advance holds zeros. */
    private String zeroed(String file, long from, long to) throws IOException {
        pod.shell()
                .check(
                        String.format(
                                "dd if=/dev/zero of='%s' bs=64k oflag=seek_bytes seek=%d"
                                        + " iflag=count_bytes count=%d conv=notrunc 2>/dev/null",
                                file, from, to - from),
                        COMMAND_MILLIS);
        long left =
                Long.parseLong(
                        pod.shell()
                                .check(
                                        String.format(
                                                "tail -c +%d '%s' | head -c %d | tr -d '\\0' |"
                                                        + " wc -c",
                                                from + 1, file, to - from),
                                        COMMAND_MILLIS)
                                .strip());
        if (left != 0) {
            throw new IOException(left + " bytes of " + file + " are not zero again");
        }
        return " holds zeros from " + from + " to " + to + " again";
    }

    private List<Unsynced> awaitUnsynced() throws IOException {
        long deadline = System.nanoTime() + UNSYNCED_MILLIS * 1_000_000;
        while (System.nanoTime() < deadline) {
            long[] words = words();
            if (words[HELD] > 0) {
                List<Unsynced> found = unsynced(words);
                if (!found.isEmpty()) {
                    return found;
                }
            }
        }
        return List.of();
    }

    private List<Unsynced> unsynced() throws IOException {
        return unsynced(words());
    }

    private List<Unsynced> unsynced(long[] words) throws IOException {
        List<Unsynced> found = new ArrayList<>();
        for (int at = SLOTS_AT; at + SLOT_WORDS <= words.length; at += SLOT_WORDS) {
            boolean grown = words[at + 2] > words[at + 1];
            long begin = words[at + 3] >>> 32;
            long end = words[at + 3] & 0xffff_ffffL;
            if (words[at] != 0 && (grown || end > begin)) {
                String file =
                        pod.shell()
                                .check(
                                        "find " + FILES + " -type f -inum " + words[at],
                                        COMMAND_MILLIS)
                                .strip();
                if (!file.isEmpty()) {
                    found.add(
                            grown
                                    ? new Unsynced(file, words[at + 1], words[at + 2], false)
                                    : new Unsynced(file, begin, end, true));
                }
            }
        }
        return found;
    }

    /** The node's next process learns its files anew; what they hold then is what the disk has. */
    private void forgetSlots() throws IOException {
        pod.shell()
                .check(
                        "dd if=/dev/zero of="
                                + CONTROL
                                + " bs=8 seek="
                                + SLOTS_AT
                                + " count=1024 conv=notrunc 2>/dev/null",
                        COMMAND_MILLIS);
    }

    // ---- Files of a stopped node ----

    /**
     * Kills the node, flips one bit where its log was written long ago, and starts it: a right node
     * notices, and does not serve what it cannot vouch for.
     */
    FaultOutcome flipBit(long fault) {
        return guarded(
                () -> {
                    FaultOutcome killed = process.kill(fault);
                    if (killed.status() != Status.INSTALLED) {
                        return killed;
                    }
                    String file = largestFile();
                    long offset = sizeOf(file) / 4;
                    int was = byteAt(file, offset);
                    int is = was ^ (1 << 3);
                    setByte(file, offset, is);
                    int seen = byteAt(file, offset);
                    flips.put(fault, new Flip(file, offset, was, is));
                    String started = process.tryStart(fault, REFUSAL_MILLIS);
                    return Findings.of(
                            seen == is ? Status.INSTALLED : Status.INDETERMINATE,
                            String.format(
                                    "%s: byte %d of %s was 0x%02x and is 0x%02x",
                                    pod.node(), offset, name(file), was, seen),
                            pod.node() + " " + started);
                });
    }

    FaultOutcome restoreBit(long fault) {
        return guarded(
                () -> {
                    Flip flip = flips.remove(fault);
                    if (flip == null) {
                        return process.restart(fault);
                    }
                    if (process.isRunning()) {
                        return process.proveRuns(
                                "had started in spite of the flipped bit, which stays");
                    }
                    setByte(flip.file, flip.offset, flip.was);
                    FaultOutcome outcome = process.startIfEnded("runs on what it had");
                    List<String> evidence = new ArrayList<>(outcome.evidence());
                    evidence.add(
                            pod.node()
                                    + " did not run with the flipped bit; it was restored to 0x"
                                    + Integer.toHexString(flip.was));
                    return new FaultOutcome(outcome.status(), evidence);
                });
    }

    FaultOutcome truncate(long fault, int bytes) {
        return guarded(
                () -> {
                    FaultOutcome killed = process.kill(fault);
                    if (killed.status() != Status.INSTALLED) {
                        return killed;
                    }
                    String file = newestFile();
                    long size = sizeOf(file);
                    cutTo(file, Math.max(0, size - bytes));
                    long now = sizeOf(file);
                    forgetSlots();
                    String started = process.tryStart(fault, REFUSAL_MILLIS);
                    return Findings.of(
                            now < size ? Status.INSTALLED : Status.INDETERMINATE,
                            pod.node()
                                    + ": "
                                    + name(file)
                                    + " had "
                                    + size
                                    + " bytes and has "
                                    + now,
                            pod.node() + " " + started);
                });
    }

    // ---- A running node's disk ----

    FaultOutcome fill(long fault) {
        if (small) {
            full.add(fault);
            return guarded(this::fillForReal);
        }
        return refuse(
                fault, full, FULL, REFUSED, "no space left", "writes refused as the disk is full");
    }

    private FaultOutcome fillForReal() throws IOException {
        pod.shell()
                .run("dd if=/dev/zero of=" + FILLER + " bs=64k 2>/dev/null; sync", COMMAND_MILLIS);
        long free = freeKilobytes();
        PodShell.Answer more =
                pod.shell().run("head -c 65536 /dev/zero > " + FILLER + ".more", COMMAND_MILLIS);
        pod.shell().check("rm -f " + FILLER + ".more", COMMAND_MILLIS);
        return found(
                free < 64 && !more.ok() ? Status.INSTALLED : Status.INDETERMINATE,
                "has "
                        + free
                        + " kB left on its volume, and writing more "
                        + (more.ok() ? "still succeeds" : "fails: " + more.output().strip()));
    }

    private long freeKilobytes() throws IOException {
        return Long.parseLong(
                pod.shell()
                        .check("df -Pk " + FILES + " | awk 'NR == 2 { print $4 }'", COMMAND_MILLIS)
                        .strip());
    }

    private FaultOutcome emptyForReal(long fault) throws IOException {
        if (!full.remove(fault)) {
            return found(Status.SKIPPED, "had no such fault");
        }
        if (!full.isEmpty()) {
            return found(Status.INSTALLED, "stays so, fault " + full.first() + " holds it");
        }
        pod.shell().check("rm -f " + FILLER, COMMAND_MILLIS);
        long free = freeKilobytes();
        return free < 64
                ? found(Status.INDETERMINATE, "has still only " + free + " kB left")
                : process.startIfEnded("has " + free + " kB of space again");
    }

    /** The volume as the node itself filled it. */
    void removeFiller() {
        full.clear();
        try {
            pod.shell().check("rm -f " + FILLER, COMMAND_MILLIS);
        } catch (IOException e) {
            assert e.getMessage() != null; // The pod is gone, and its volume with it.
        }
    }

    FaultOutcome breakDown(long fault) {
        return refuse(fault, broken, BROKEN, FAILED, "I/O error", "calls that failed with EIO");
    }

    private FaultOutcome refuse(
            long fault, SortedSet<Long> faults, int flag, int counter, String error, String what) {
        return guarded(
                () -> {
                    faults.add(fault);
                    long before = words()[counter];
                    set(flag, 1);
                    long deadline = System.nanoTime() + UNSYNCED_MILLIS * 1_000_000;
                    long now = before;
                    while (now == before && System.nanoTime() < deadline) {
                        now = words()[counter];
                    }
                    String asked =
                            now > before
                                    ? ""
                                    : "; the node wrote nothing in "
                                            + UNSYNCED_MILLIS
                                            + " ms, so it met no "
                                            + error;
                    return Findings.of(
                            now > before ? Status.INSTALLED : Status.INDETERMINATE,
                            pod.node() + ": " + (now - before) + " " + what + asked);
                });
    }

    FaultOutcome empty(long fault) {
        return small
                ? guarded(() -> emptyForReal(fault))
                : accept(fault, full, FULL, "has space again");
    }

    FaultOutcome mend(long fault) {
        return accept(fault, broken, BROKEN, "has a working disk again");
    }

    private FaultOutcome accept(long fault, SortedSet<Long> faults, int flag, String what) {
        return guarded(
                () -> {
                    if (!faults.remove(fault)) {
                        return found(Status.SKIPPED, "had no such fault");
                    }
                    if (!faults.isEmpty()) {
                        return found(
                                Status.INSTALLED,
                                "stays so, fault " + faults.first() + " holds it");
                    }
                    set(flag, 0);
                    if (words()[flag] != 0) {
                        return found(Status.INDETERMINATE, "still has a disk that refuses");
                    }
                    // A right node may well have stopped itself rather than go on without a disk.
                    return process.startIfEnded(what);
                });
    }

    FaultOutcome slowDown(long fault, int syncMillis) {
        return guarded(
                () -> {
                    slow.put(fault, syncMillis);
                    int sum = slow.values().stream().mapToInt(millis -> millis).sum();
                    long before = words()[SLOWED];
                    set(SLOW, sum);
                    long deadline = System.nanoTime() + UNSYNCED_MILLIS * 1_000_000;
                    long now = before;
                    while (now == before && System.nanoTime() < deadline) {
                        now = words()[SLOWED];
                    }
                    return found(
                            now > before ? Status.INSTALLED : Status.INDETERMINATE,
                            "syncs take "
                                    + sum
                                    + " ms longer; "
                                    + (now - before)
                                    + " did so until now");
                });
    }

    FaultOutcome speedUp(long fault) {
        return guarded(
                () -> {
                    if (slow.remove(fault) == null) {
                        return found(Status.SKIPPED, "was not slowed by this fault");
                    }
                    int sum = slow.values().stream().mapToInt(millis -> millis).sum();
                    long[] words = words();
                    set(SLOW, sum);
                    return found(
                            words()[SLOW] == sum ? Status.INSTALLED : Status.INDETERMINATE,
                            words[SLOWED]
                                    + " syncs were slow; now they take "
                                    + sum
                                    + " ms longer");
                });
    }

    /** A disk without faults; the process is not touched. */
    void removeAll() {
        slow.clear();
        full.clear();
        broken.clear();
        try {
            for (int flag : new int[] {HOLD, SLOW, FULL, BROKEN}) {
                set(flag, 0);
            }
        } catch (IOException e) {
            return; // The pod is gone.
        }
        for (Map.Entry<Long, Flip> entry : Map.copyOf(flips).entrySet()) {
            FaultOutcome ignored = restoreBit(entry.getKey());
            assert ignored != null;
        }
    }

    // ---- The control file and the node's files ----

    private long[] words() throws IOException {
        String dump = pod.shell().check("od -An -v -t u8 " + CONTROL, COMMAND_MILLIS);
        return Arrays.stream(dump.strip().split("\\s+", -1)).mapToLong(Long::parseLong).toArray();
    }

    private void set(int word, long value) throws IOException {
        StringBuilder bytes = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            bytes.append(String.format("\\x%02x", value >>> (8 * i) & 0xff));
        }
        pod.shell()
                .check(
                        "printf '"
                                + bytes
                                + "' | dd of="
                                + CONTROL
                                + " bs=8 seek="
                                + word
                                + " conv=notrunc 2>/dev/null",
                        COMMAND_MILLIS);
    }

    private String largestFile() throws IOException {
        return file("-printf '%s %p\\n' | sort -n");
    }

    private String newestFile() throws IOException {
        return file("-printf '%T@ %p\\n' | sort -n");
    }

    private String file(String order) throws IOException {
        String line =
                pod.shell()
                        .check(
                                "find " + FILES + " -type f -size +0 " + order + " | tail -1",
                                COMMAND_MILLIS)
                        .strip();
        if (line.isEmpty()) {
            throw new IOException("the node has no file with anything in it");
        }
        return line.substring(line.indexOf(' ') + 1);
    }

    private long sizeOf(String file) throws IOException {
        return Long.parseLong(
                pod.shell().check("stat -c %s '" + file + "'", COMMAND_MILLIS).strip());
    }

    private void cutTo(String file, long size) throws IOException {
        pod.shell().check("truncate -s " + size + " '" + file + "'", COMMAND_MILLIS);
    }

    private int byteAt(String file, long offset) throws IOException {
        String text =
                pod.shell()
                        .check(
                                "od -An -v -t u1 -j " + offset + " -N 1 '" + file + "'",
                                COMMAND_MILLIS);
        return Integer.parseInt(text.strip());
    }

    private void setByte(String file, long offset, int value) throws IOException {
        pod.shell()
                .check(
                        String.format(
                                        "printf '\\x%02x' | dd of='%s' bs=1 seek=%d",
                                        value, file, offset)
                                + " conv=notrunc 2>/dev/null",
                        COMMAND_MILLIS);
    }

    private static String name(String file) {
        return file.substring(FILES.length() + 1);
    }

    private interface Work {
        FaultOutcome run() throws IOException;
    }

    private FaultOutcome guarded(Work work) {
        try {
            return work.run();
        } catch (IOException | RuntimeException e) {
            return found(Status.INDETERMINATE, "the disk's fault failed: " + Engine.rootMessage(e));
        }
    }

    private FaultOutcome found(Status status, String what) {
        return Findings.of(status, pod.node() + " " + what);
    }
}
