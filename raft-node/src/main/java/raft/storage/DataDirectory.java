package raft.storage;

import org.jspecify.annotations.Nullable;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * A node's data directory: held by one process at a time, and by one node of one cluster for ever.
 */
public final class DataDirectory implements Closeable {
    private static final String LOCK = "lock";
    private static final String IDENTITY = "identity";
    private static final String DATA_ID = "data-id";
    private static final String NEW_TEXT = "new-text.tmp";

    private final DirectoryDisk disk;
    private final FileChannel lockChannel;

    private DataDirectory(DirectoryDisk disk, FileChannel lockChannel) {
        this.disk = disk;
        this.lockChannel = lockChannel;
    }

    /**
     * Creates the directory where it is missing, locks it and checks whose it is.
     *
     * @throws IOException with one sentence that says what is wrong: another process holds it, it
     *     belongs to another node or cluster, or it cannot be written
     */
    public static DataDirectory open(Path folder, String clusterId, String nodeId)
            throws IOException {
        createDurably(folder.toAbsolutePath());
        FileChannel channel =
                FileChannel.open(
                        folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            lock(channel, folder);
            DirectoryDisk disk = new DirectoryDisk(folder);
            checkIdentity(disk, folder, new Identity(clusterId, nodeId).text());
            return new DataDirectory(disk, channel);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /**
     * Locks the directory of a node that is stopped, whosever it is.
     *
     * @throws IOException with one sentence that says what is wrong: there is none, or a process
     *     holds it
     */
    public static DataDirectory openStopped(Path folder) throws IOException {
        if (!Files.isRegularFile(folder.resolve(IDENTITY))) {
            throw new IOException(folder + " is not the data directory of a node");
        }
        FileChannel channel = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.WRITE);
        try {
            lock(channel, folder);
            return new DataDirectory(new DirectoryDisk(folder), channel);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /**
     * Whose it is.
     *
     * @param clusterId the cluster's
     * @param nodeId the node's
     */
    public record Identity(String clusterId, String nodeId) {
        private String text() {
            return "cluster " + clusterId + "\nnode " + nodeId + "\n";
        }
    }

    /**
     * Whose it is.
     *
     * @throws IOException if the file that says it is not what this class writes
     */
    public Identity identity() throws IOException {
        String text = String.valueOf(text(IDENTITY));
        List<String> lines = text.lines().toList();
        if (lines.size() == 2
                && lines.get(0).startsWith("cluster ")
                && lines.get(1).startsWith("node ")) {
            return new Identity(lines.get(0).substring(8), lines.get(1).substring(5));
        }
        throw new IOException("the file " + IDENTITY + " is damaged");
    }

    /** It is this node's from now on, durably. */
    public void identity(Identity next) throws IOException {
        putText(IDENTITY, next.text());
    }

    /** The files in it. */
    public Disk disk() {
        return disk;
    }

    /** Lets another process open the directory. */
    @Override
    public void close() throws IOException {
        lockChannel.close();
    }

    /** A folder whose name a crash forgets takes the votes in it along. */
    private static void createDurably(Path folder) throws IOException {
        Path parent = folder.getParent();
        if (parent == null || Files.isDirectory(folder)) {
            return;
        }
        createDurably(parent);
        Files.createDirectory(folder);
        new DirectoryDisk(parent).syncDirectory();
    }

    private static void lock(FileChannel channel, Path folder) throws IOException {
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            throw new IOException("data directory " + folder + " is open in this process", e);
        }
        if (lock == null) {
            throw new IOException("data directory " + folder + " is in use by another process");
        }
    }

    private static void checkIdentity(Disk disk, Path folder, String expected) throws IOException {
        if (disk.list().contains(IDENTITY)) {
            ByteBuffer found = disk.read(IDENTITY);
            String text = StandardCharsets.UTF_8.decode(found).toString();
            if (!text.equals(expected)) {
                throw new IOException(
                        "data directory "
                                + folder
                                + " belongs to "
                                + text.strip().replace("\n", ", ")
                                + ", not to "
                                + expected.strip().replace("\n", ", "));
            }
            return;
        }
        if (disk.list().stream().anyMatch(WalFormat::isSegmentName)) {
            throw new IOException("data directory " + folder + " has a log but no identity file");
        }
        putText(disk, IDENTITY, expected);
    }

    /** What a small file says; null where there is none. */
    public @Nullable String text(String name) throws IOException {
        return disk.list().contains(name)
                ? StandardCharsets.UTF_8.decode(disk.read(name)).toString()
                : null;
    }

    /** Replaces a small file, durably and as a whole. One at a time. */
    public void putText(String name, String text) throws IOException {
        putText(disk, name, text);
    }

    private static void putText(Disk disk, String name, String text) throws IOException {
        try (Disk.DiskFile file = disk.create(NEW_TEXT)) {
            file.write(0, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
            file.sync(true);
        }
        disk.rename(NEW_TEXT, name);
        disk.syncDirectory();
    }

    /**
     * Drawn when the directory was made; another one says that it is another directory.
     *
     * @param draw gives the number for a new one
     */
    public long dataId(LongSupplier draw) throws IOException {
        String text = text(DATA_ID);
        if (text == null) {
            text = HexFormat.of().toHexDigits(draw.getAsLong());
            putText(DATA_ID, text);
        }
        return HexFormat.fromHexDigitsToLong(text);
    }
}
