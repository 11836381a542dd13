package raft.storage;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * One directory of files, with exactly the promises that the log rests on. {@link DirectoryDisk} is
 * the real one; tests and simulations put one with faults in its place.
 *
 * <p>Names are plain file names without a folder. Nothing is durable before the matching sync.
 */
public interface Disk {
    /** Names of all files, in ascending order. */
    List<String> list() throws IOException;

    /** The whole content of a file, position 0, limit its size. */
    ByteBuffer read(String name) throws IOException;

    /**
     * A part of a file.
     *
     * @return position 0, limit {@code sizeBytes} or less where the file ends before
     */
    ByteBuffer read(String name, long positionBytes, int sizeBytes) throws IOException;

    /** Creates a file, or empties an existing one. */
    DiskFile create(String name) throws IOException;

    /** Opens an existing file for writing. */
    DiskFile open(String name) throws IOException;

    /** Replaces {@code to} atomically; durable after {@link #syncDirectory}. */
    void rename(String from, String to) throws IOException;

    void delete(String name) throws IOException;

    /** Makes creations, renames and deletions durable. */
    void syncDirectory() throws IOException;

    /** A file open for writing. */
    interface DiskFile extends Closeable {
        /** Writes everything between position and limit of {@code bytes}, or fails. */
        void write(long positionBytes, ByteBuffer bytes) throws IOException;

        /**
         * Returns when all written bytes are on stable storage.
         *
         * @param withMetadata also the file's size; needed once, after preallocation
         */
        void sync(boolean withMetadata) throws IOException;
    }
}
