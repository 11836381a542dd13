package raft.shell.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/** What this machine needs for the two things that no store can avoid. */
final class Machine {
    private static final int SAMPLE_COUNT = 1000;
    private static final int FILE_BYTES = 4 << 20;
    private static final int RECORD_BYTES = 512;

    private Machine() {}

    /** Median of one write and fdatasync of 512 bytes into a preallocated file, microseconds. */
    static long fsyncMicros(Path folder) throws IOException {
        Path path = folder.resolve("fsync.tmp");
        long[] nanos = new long[SAMPLE_COUNT];
        try (FileChannel file =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.allocate(FILE_BYTES), 0);
            file.force(true);
            ByteBuffer record = ByteBuffer.allocateDirect(RECORD_BYTES);
            for (int i = 0; i < SAMPLE_COUNT; i++) {
                long start = System.nanoTime();
                file.write(record.clear(), (long) i * RECORD_BYTES);
                file.force(false);
                nanos[i] = System.nanoTime() - start;
            }
        } finally {
            Files.deleteIfExists(path);
        }
        return medianMicros(nanos);
    }

    /** Median of a round trip of 300 bytes over loopback between two threads, microseconds. */
    static long loopbackMicros() throws IOException, InterruptedException {
        long[] nanos = new long[SAMPLE_COUNT];
        try (ServerSocketChannel listener = ServerSocketChannel.open()) {
            listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            Thread echo = Thread.ofPlatform().daemon().start(() -> echo(listener));
            try (SocketChannel channel = SocketChannel.open(listener.getLocalAddress())) {
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
                ByteBuffer bytes = ByteBuffer.allocateDirect(300);
                for (int i = 0; i < SAMPLE_COUNT; i++) {
                    long start = System.nanoTime();
                    channel.write(bytes.clear());
                    bytes.clear();
                    while (bytes.hasRemaining() && channel.read(bytes) >= 0) {}
                    nanos[i] = System.nanoTime() - start;
                }
            }
            echo.join();
        }
        return medianMicros(nanos);
    }

    private static void echo(ServerSocketChannel listener) {
        try (SocketChannel channel = listener.accept()) {
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            ByteBuffer bytes = ByteBuffer.allocateDirect(300);
            while (channel.read(bytes.clear()) >= 0) {
                channel.write(bytes.flip());
            }
        } catch (IOException e) {
            // The other side sees it too.
        }
    }

    private static long medianMicros(long[] nanos) {
        Arrays.sort(nanos);
        return nanos[nanos.length / 2] / 1000;
    }
}
