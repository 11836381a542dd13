package raft.shell.bench;

import org.HdrHistogram.Histogram;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.zip.DataFormatException;

/** Our end of a {@link LoadGenerator}. */
final class Load implements Closeable {
    private final Process process;
    private final BufferedWriter commands;
    private final BufferedReader answers;
    private final Path log;

    /**
     * One round.
     *
     * @param latencies nanoseconds, as they were measured
     */
    record Result(long operationCount, long nanos, Histogram latencies) {
        double perSecond() {
            return operationCount / (nanos / 1e9);
        }

        /**
         * What clients would have seen that ask at a steady pace: while one operation hangs, a
         * closed loop does not ask, and would leave out all that would have hung with it
         * (coordinated omission). The pace is the round's own mean.
         */
        Histogram corrected(int clientCount) {
            long expectedNanos = Math.max(1, nanos * clientCount / Math.max(1, operationCount));
            return latencies.copyCorrectedForCoordinatedOmission(expectedNanos);
        }
    }

    /**
     * Starts the process.
     *
     * @param system raft or etcd
     * @param classPath folders of jars
     */
    Load(String system, int port, List<Path> classPath, Path log) throws IOException {
        this.log = log;
        List<String> command = new ArrayList<>(List.of(Processes.java(), "-XX:+UseSerialGC"));
        command.addAll(List.of("-Xms128m", "-Xmx128m", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of("--sun-misc-unsafe-memory-access=allow", "-cp"));
        command.add(
                String.join(File.pathSeparator, classPath.stream().map(Path::toString).toList()));
        command.addAll(List.of(LoadGenerator.class.getName(), system, "127.0.0.1", "" + port));
        process = new ProcessBuilder(command).redirectError(log.toFile()).start();
        commands = process.outputWriter(StandardCharsets.UTF_8);
        answers = process.inputReader(StandardCharsets.UTF_8);
    }

    /** A closed loop for a while; see {@link LoadGenerator}. */
    Result run(boolean write, int clientCount, int connectionCount, long millis)
            throws IOException {
        return ask(
                String.join(
                        " ",
                        "run",
                        write ? "write" : "read",
                        "" + clientCount,
                        "" + connectionCount,
                        "" + millis));
    }

    /** Writes that many keys in order, again from the first after {@code keyCount} of them. */
    Result fill(
            long from,
            long count,
            long keyCount,
            int clientCount,
            int connectionCount,
            int valueBytes)
            throws IOException {
        return ask(
                "fill "
                        + from
                        + " "
                        + count
                        + " "
                        + keyCount
                        + " "
                        + clientCount
                        + " "
                        + connectionCount
                        + " "
                        + valueBytes);
    }

    private Result ask(String command) throws IOException {
        commands.write(command + "\n");
        commands.flush();
        String answer = answers.readLine();
        if (answer == null) {
            throw new IOException("the load generator ended; " + log + " says why");
        }
        String[] words = answer.split(" ", 6);
        if (!words[2].equals("0")) {
            throw new IOException(
                    words[2] + " operations failed: " + (words.length > 5 ? words[5] : "?"));
        }
        try {
            byte[] packed = Base64.getDecoder().decode(words[4]);
            return new Result(
                    Long.parseLong(words[1]),
                    Long.parseLong(words[3]),
                    Histogram.decodeFromCompressedByteBuffer(ByteBuffer.wrap(packed), 0));
        } catch (DataFormatException e) {
            throw new IOException("no answer of a load generator: " + Arrays.toString(words), e);
        }
    }

    @Override
    public void close() {
        process.destroy();
    }
}
