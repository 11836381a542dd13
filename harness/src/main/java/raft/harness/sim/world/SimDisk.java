package raft.harness.sim.world;

import org.jspecify.annotations.Nullable;

import raft.harness.sim.Keyed;
import raft.storage.Disk;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A node's disk in memory: what a running process reads (the page cache), and what of it would
 * survive a loss of power.
 *
 * <p>An fsync without metadata takes virtual time: {@link #syncMark} is noted when it is asked for
 * and {@link #completeSync} when it ends; a loss of power between the two keeps any sectors of what
 * was written since the last completed one. An fsync with metadata, and one of the directory, is
 * taken as done at once; a loss of power before it undoes names that came, went or changed since.
 */
final class SimDisk implements Disk {
    static final int SECTOR_BYTES = 512;

    private final TreeMap<String, Content> files = new TreeMap<>();
    private final List<Write> unsynced = new ArrayList<>();

    /** Names that changed since the directory was last synced, oldest first. */
    private final List<Rename> directoryChanges = new ArrayList<>();

    /** Faults in force under which nothing may grow, and under which nothing can be written. */
    int fullCount;

    int errorCount;

    /** Files that got another name, and of those that took the one of a third. */
    int renamedCount;

    int replacedCount;

    /** Writes since the start of the run, completed syncs included. */
    private long writeCount;

    private static final class Content {
        byte[] bytes = new byte[0];
        int usedBytes;

        /** Where the writes of data began that are there, the head of the file apart. */
        final ArrayList<Integer> starts = new ArrayList<>();

        /** What was written from there on is not there, or not all of it. */
        void endsAt(int position) {
            usedBytes = Math.min(usedBytes, position);
            while (!starts.isEmpty() && starts.getLast() >= position) {
                starts.removeLast();
            }
        }

        /** Its fsync is under way, to end with {@link #completeSync}. */
        boolean syncAsked;
    }

    /** A write that a loss of power may undo. */
    private record Write(long number, Content file, int position, byte[] before, byte[] after) {}

    /** What stood under a name before; null for nothing. */
    private record Named(String name, @Nullable Content before) {}

    /** A change of one or two names at once, which a loss of power may undo. */
    private record Rename(List<Named> names) {}

    /** Everything written so far becomes durable when {@link #completeSync} is told this. */
    long syncMark() {
        return writeCount;
    }

    void completeSync(long mark) {
        unsynced.removeIf(write -> write.number < mark && write.file.syncAsked);
    }

    /** The process that asked for a sync is gone before it ended: nobody may rely on it. */
    void forgetSyncs() {
        unsynced.forEach(write -> write.file.syncAsked = false);
    }

    /**
     * A file that a loss of power would change, but for those that are still being made; null for
     * none.
     */
    @Nullable String unsyncedFile() {
        for (Write write : unsynced) {
            for (Map.Entry<String, Content> file : files.entrySet()) {
                if (file.getValue() == write.file && !file.getKey().endsWith(".tmp")) {
                    return file.getKey();
                }
            }
        }
        return null;
    }

    private void nameChanges(String... names) {
        List<Named> before = new ArrayList<>();
        for (String name : names) {
            before.add(new Named(name, files.get(name)));
        }
        directoryChanges.add(new Rename(before));
    }

    /** The last changes of names never reached the disk. */
    private void undoNames(int keptCount) {
        for (int i = directoryChanges.size() - 1; i >= keptCount; i--) {
            undo(directoryChanges.get(i));
        }
        directoryChanges.clear();
    }

    /**
     * Any changes of names never reached the disk: until it is synced, a directory promises nothing
     * about their order but that of changes to one name.
     */
    private void undoAnyNames(long key) {
        Set<String> settled = new TreeSet<>();
        for (int i = directoryChanges.size() - 1; i >= 0; i--) {
            Rename change = directoryChanges.get(i);
            boolean reached =
                    (Keyed.part(key, i) & 1) == 0
                            || change.names.stream().anyMatch(one -> settled.contains(one.name));
            if (reached) {
                change.names.forEach(one -> settled.add(one.name));
            } else {
                undo(change);
            }
        }
        directoryChanges.clear();
    }

    private void undo(Rename change) {
        for (Named named : change.names) {
            if (named.before == null) {
                files.remove(named.name);
            } else {
                files.put(named.name, named.before);
            }
        }
    }

    /** Another disk with the same on it, what is not synced included. */
    SimDisk copy() {
        SimDisk copy = new SimDisk();
        Map<Content, Content> copies = new HashMap<>(); // Only asked, never iterated.
        files.forEach((name, content) -> copy.files.put(name, copyOf(content, copies)));
        for (Write write : unsynced) {
            Content file = copyOf(write.file, copies);
            copy.unsynced.add(
                    new Write(write.number, file, write.position, write.before, write.after));
        }
        for (Rename change : directoryChanges) {
            List<Named> names = new ArrayList<>();
            for (Named named : change.names) {
                names.add(
                        named.before == null
                                ? named
                                : new Named(named.name, copyOf(named.before, copies)));
            }
            copy.directoryChanges.add(new Rename(names));
        }
        copy.writeCount = writeCount;
        return copy;
    }

    private static Content copyOf(Content content, Map<Content, Content> copies) {
        return copies.computeIfAbsent(
                content,
                one -> {
                    Content copy = new Content();
                    copy.bytes = one.bytes.clone();
                    copy.usedBytes = one.usedBytes;
                    copy.starts.addAll(one.starts);
                    copy.syncAsked = one.syncAsked;
                    return copy;
                });
    }

    /** A new disk in the place of the old one. */
    void wipe() {
        files.clear();
        unsynced.clear();
        directoryChanges.clear();
    }

    /** Nothing is wrong with it any more. */
    void works() {
        fullCount = 0;
        errorCount = 0;
    }

    boolean isFaulty() {
        return fullCount > 0 || errorCount > 0;
    }

    private void checkWritable(boolean grows) throws IOException {
        if (errorCount > 0) {
            throw new IOException("Input/output error");
        }
        if (fullCount > 0 && grows) {
            throw new IOException("No space left on device");
        }
    }

    /** What a loss of power took: writes that are gone, and whether part of one is left. */
    record Loss(int writeCount, boolean torn) {}

    /**
     * The machine lost power: a prefix of the unsynced writes survives, and any sectors of the next
     * one.
     */
    Loss losePower(long key) {
        int kept = unsynced.isEmpty() ? 0 : Keyed.below(key, unsynced.size() + 1);
        for (int i = unsynced.size() - 1; i >= kept; i--) {
            Write write = unsynced.get(i);
            byte[] bytes = write.file.bytes;
            System.arraycopy(write.before, 0, bytes, write.position, write.before.length);
            write.file.endsAt(write.position);
        }
        Loss loss =
                new Loss(
                        unsynced.size() - kept,
                        kept < unsynced.size() && tear(unsynced.get(kept), Keyed.part(key, 1)));
        unsynced.clear();
        if ((Keyed.part(key, 3) & 1) == 0) {
            undoNames(Keyed.below(Keyed.part(key, 2), directoryChanges.size() + 1));
        } else {
            undoAnyNames(Keyed.part(key, 2));
        }
        return loss;
    }

    /**
     * The machine lost power, and of the unsynced bytes this share had reached the disk, in the
     * order in which they were written.
     *
     * @param keptPercent 0 to 99
     */
    Loss losePowerKeeping(int keptPercent) {
        long bytes = 0;
        for (Write write : unsynced) {
            bytes += write.after.length;
        }
        long kept = bytes * keptPercent / 100;
        int lostCount = 0;
        boolean torn = false;
        long before = bytes;
        for (int i = unsynced.size() - 1; i >= 0; i--) {
            Write write = unsynced.get(i);
            before -= write.after.length;
            if (before + write.after.length <= kept) {
                break;
            }
            int from = (int) Math.max(0, kept - before);
            System.arraycopy(
                    write.before,
                    from,
                    write.file.bytes,
                    write.position + from,
                    write.before.length - from);
            write.file.endsAt(write.position);
            lostCount++;
            torn |= from > 0;
        }
        unsynced.clear();
        undoNames(directoryChanges.size() * keptPercent / 100);
        return new Loss(lostCount, torn);
    }

    /** Takes the last bytes that the newest file holds away, synced as they are. */
    String cutTail(int bytes) {
        String newest = "";
        for (var file : files.entrySet()) {
            if (file.getValue().usedBytes > 0) {
                newest = file.getKey();
            }
        }
        if (newest.isEmpty()) {
            return "nothing";
        }
        Content content = existing(newest);
        int from = Math.max(0, content.usedBytes - bytes);
        Arrays.fill(content.bytes, from, content.usedBytes, (byte) 0);
        content.endsAt(from);
        if (!content.starts.isEmpty()) {
            content.starts.removeLast(); // A part of it is gone.
        }
        return newest;
    }

    /**
     * Each sector was written or not; half of the time they went out in order.
     *
     * @return whether some were and some were not
     */
    private static boolean tear(Write write, long key) {
        int first = write.position / SECTOR_BYTES;
        int last = (write.position + write.after.length - 1) / SECTOR_BYTES;
        boolean inOrder = (key & 1) == 0;
        int cutAt = first + Keyed.below(Keyed.part(key, 1), last - first + 2);
        int writtenCount = 0;
        for (int sector = first; sector <= last; sector++) {
            boolean written = inOrder ? sector < cutAt : (Keyed.part(key, sector) & 1) == 0;
            if (written) {
                writtenCount++;
                int from = Math.max(write.position, sector * SECTOR_BYTES);
                int to = Math.min(write.position + write.after.length, (sector + 1) * SECTOR_BYTES);
                System.arraycopy(
                        write.after, from - write.position, write.file.bytes, from, to - from);
            }
        }
        return writtenCount > 0 && writtenCount <= last - first;
    }

    /** One flipped bit of old data, to be taken back with {@link #flip}; null where none is old. */
    record Rot(String file, int offset, int bit) {}

    /**
     * A bit in the first half of what a file holds, and before the newest write to it, so that
     * valid records follow it; null where too little is written yet.
     */
    @Nullable Rot chooseRot(long key) {
        List<String> candidates = new ArrayList<>();
        files.forEach(
                (name, content) -> {
                    if (content.usedBytes >= 8 * SECTOR_BYTES && !content.starts.isEmpty()) {
                        candidates.add(name);
                    }
                });
        if (candidates.isEmpty()) {
            return null;
        }
        String name = candidates.get(Keyed.below(key, candidates.size()));
        Content content = existing(name);
        int bound = Math.min(content.usedBytes / 2, content.starts.getLast());
        int offset = Keyed.below(Keyed.part(key, 1), bound);
        return new Rot(name, offset, Keyed.below(Keyed.part(key, 2), 8));
    }

    void flip(Rot rot) {
        Content content = files.get(rot.file);
        if (content != null) { // Else the disk was replaced meanwhile.
            content.bytes[rot.offset] ^= (byte) (1 << rot.bit);
        }
    }

    // ---- What the log asks for ----

    @Override
    public List<String> list() {
        return new ArrayList<>(files.keySet());
    }

    @Override
    public ByteBuffer read(String name) {
        return ByteBuffer.wrap(existing(name).bytes.clone());
    }

    @Override
    public ByteBuffer read(String name, long positionBytes, int sizeBytes) {
        byte[] whole = existing(name).bytes;
        int from = (int) Math.min(positionBytes, whole.length);
        int to = from + Math.min(sizeBytes, whole.length - from);
        return ByteBuffer.wrap(Arrays.copyOfRange(whole, from, to));
    }

    @Override
    public DiskFile create(String name) throws IOException {
        checkWritable(true);
        nameChanges(name);
        Content content = new Content();
        files.put(name, content);
        return new OpenFile(content);
    }

    @Override
    public DiskFile open(String name) throws FileNotFoundException {
        Content content = files.get(name);
        if (content == null) {
            throw new FileNotFoundException(name);
        }
        return new OpenFile(content);
    }

    @Override
    public void rename(String from, String to) {
        Content content = existing(from);
        nameChanges(from, to);
        files.remove(from);
        renamedCount++;
        if (files.put(to, content) != null) {
            replacedCount++;
        }
    }

    @Override
    public void delete(String name) {
        nameChanges(name);
        files.remove(name);
    }

    @Override
    public void syncDirectory() {
        directoryChanges.clear();
        // Of files that are gone for good nothing can be lost any more.
        unsynced.removeIf(write -> !files.containsValue(write.file));
    }

    private Content existing(String name) {
        Content content = files.get(name);
        if (content == null) {
            throw new IllegalStateException("no file " + name);
        }
        return content;
    }

    private final class OpenFile implements DiskFile {
        private final Content content;

        private OpenFile(Content content) {
            this.content = content;
        }

        @Override
        public void write(long positionBytes, ByteBuffer bytes) throws IOException {
            int position = Math.toIntExact(positionBytes);
            int end = position + bytes.remaining();
            checkWritable(end > content.bytes.length);
            if (content.bytes.length < end) {
                content.bytes = Arrays.copyOf(content.bytes, end);
            }
            byte[] before = Arrays.copyOfRange(content.bytes, position, end);
            byte[] after = new byte[end - position];
            bytes.get(after);
            System.arraycopy(after, 0, content.bytes, position, after.length);
            if (end < content.bytes.length || position > 0) {
                int used = usedEnd(position, after);
                if (used > 0 && position > 0) {
                    content.endsAt(position);
                    content.starts.add(position);
                }
                content.usedBytes = Math.max(content.usedBytes, used);
            }
            unsynced.add(new Write(writeCount++, content, position, before, after));
        }

        /** Zeros are preallocation, not data. */
        private int usedEnd(int position, byte[] written) {
            return written.length > 0 && written[written.length - 1] == 0 && written[0] == 0
                    ? 0
                    : position + written.length;
        }

        @Override
        public void sync(boolean withMetadata) throws IOException {
            checkWritable(false);
            if (withMetadata) {
                unsynced.removeIf(write -> write.file == content);
            } else {
                content.syncAsked = true;
            }
        }

        @Override
        public void close() {}
    }
}
