package raft.storage;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/** Files in memory that remember what was asked of them, in order, and fail on request. */
final class MemoryDisk implements Disk {
    final TreeMap<String, byte[]> files = new TreeMap<>();
    final List<String> operations = new ArrayList<>();
    boolean failWrites;
    boolean failSyncs;

    /** Most that was read of a snapshot at once. */
    int largestReadBytes;

    MemoryDisk copy() {
        MemoryDisk copy = new MemoryDisk();
        files.forEach((name, bytes) -> copy.files.put(name, bytes.clone()));
        return copy;
    }

    @Override
    public List<String> list() {
        return new ArrayList<>(files.keySet());
    }

    @Override
    public ByteBuffer read(String name) throws IOException {
        byte[] whole = existing(name).clone();
        if (!WalFormat.isSegmentName(name)) {
            largestReadBytes = Math.max(largestReadBytes, whole.length);
        }
        return ByteBuffer.wrap(whole);
    }

    @Override
    public ByteBuffer read(String name, long positionBytes, int sizeBytes) throws IOException {
        byte[] whole = existing(name);
        int from = (int) Math.min(positionBytes, whole.length);
        int to = from + Math.min(sizeBytes, whole.length - from);
        largestReadBytes = Math.max(largestReadBytes, to - from);
        return ByteBuffer.wrap(Arrays.copyOfRange(whole, from, to));
    }

    @Override
    public DiskFile create(String name) {
        operations.add("create " + name);
        files.put(name, new byte[0]);
        return new MemoryFile(name);
    }

    @Override
    public DiskFile open(String name) throws IOException {
        existing(name);
        operations.add("open " + name);
        return new MemoryFile(name);
    }

    @Override
    public void rename(String from, String to) throws IOException {
        operations.add("rename " + from + " " + to);
        byte[] content = existing(from);
        files.remove(from);
        files.put(to, content);
        // A file that is open follows its new name.
        for (MemoryFile file : open) {
            if (file.name.equals(from)) {
                file.name = to;
            }
        }
    }

    @Override
    public void delete(String name) {
        files.remove(name);
    }

    @Override
    public void syncDirectory() {
        operations.add("sync directory");
    }

    private final List<MemoryFile> open = new ArrayList<>();

    private byte[] existing(String name) throws IOException {
        byte[] content = files.get(name);
        if (content == null) {
            throw new FileNotFoundException(name);
        }
        return content;
    }

    private final class MemoryFile implements DiskFile {
        private String name;

        private MemoryFile(String name) {
            this.name = name;
            open.add(this);
        }

        @Override
        public void write(long positionBytes, ByteBuffer bytes) throws IOException {
            operations.add("write " + name);
            if (failWrites) {
                throw new IOException("no space left");
            }
            int end = (int) positionBytes + bytes.remaining();
            byte[] content = existing(name);
            if (content.length < end) {
                content = Arrays.copyOf(content, end);
                files.put(name, content);
            }
            bytes.get(content, (int) positionBytes, bytes.remaining());
        }

        @Override
        public void sync(boolean withMetadata) throws IOException {
            operations.add((withMetadata ? "sync with size " : "sync ") + name);
            if (failSyncs) {
                throw new IOException("input/output error");
            }
        }

        @Override
        public void close() {
            open.remove(this);
        }
    }
}
