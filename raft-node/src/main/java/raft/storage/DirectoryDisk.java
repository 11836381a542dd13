package raft.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A {@link Disk} over one folder of the file system.
 *
 * <p>A thread that writes here must never be interrupted: the interrupt closes the channel under
 * it.
 */
public final class DirectoryDisk implements Disk {
    private final Path folder;

    /** The folder must exist. */
    public DirectoryDisk(Path folder) {
        this.folder = folder;
    }

    @Override
    public List<String> list() throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
            for (Path path : stream) {
                names.add(path.getFileName().toString());
            }
        }
        names.sort(null);
        return names;
    }

    @Override
    public ByteBuffer read(String name) throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(folder.resolve(name)));
    }

    @Override
    public ByteBuffer read(String name, long positionBytes, int sizeBytes) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(sizeBytes);
        try (FileChannel channel =
                FileChannel.open(folder.resolve(name), StandardOpenOption.READ)) {
            while (bytes.hasRemaining()
                    && channel.read(bytes, positionBytes + bytes.position()) >= 0) {
                // Reads may be short.
            }
        }
        return bytes.flip();
    }

    @Override
    public DiskFile create(String name) throws IOException {
        return new ChannelFile(
                FileChannel.open(
                        folder.resolve(name),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE));
    }

    @Override
    public DiskFile open(String name) throws IOException {
        return new ChannelFile(FileChannel.open(folder.resolve(name), StandardOpenOption.WRITE));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Files.move(folder.resolve(from), folder.resolve(to), StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void delete(String name) throws IOException {
        Files.deleteIfExists(folder.resolve(name));
    }

    @Override
    public void syncDirectory() throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private record ChannelFile(FileChannel channel) implements DiskFile {
        @Override
        public void write(long positionBytes, ByteBuffer bytes) throws IOException {
            long at = positionBytes;
            while (bytes.hasRemaining()) {
                at += channel.write(bytes, at);
            }
        }

        @Override
        public void sync(boolean withMetadata) throws IOException {
            channel.force(withMetadata);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
