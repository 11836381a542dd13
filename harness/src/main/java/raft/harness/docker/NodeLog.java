package raft.harness.docker;

import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.command.LogContainerCmd;
import com.github.dockerjava.api.model.Frame;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.concurrent.TimeUnit;

/**
 * One node's container log in the run's folder: written while the node runs, so that a killed
 * harness leaves what there was, and replaced by the whole log at the end.
 *
 * <p>The engine's own time stamp stands before every line on the wire; it tells which lines are
 * already here when a restarted node's log is followed again, and is not written to the file.
 */
final class NodeLog {
    private final Engine engine;
    private final String container;
    private final Path file;

    // Guarded by this.
    private Instant lastSeen = Instant.EPOCH;
    private boolean writable = true;
    private ResultCallback.@Nullable Adapter<Frame> following;

    NodeLog(Engine engine, String container, Path file) throws IOException {
        this.engine = engine;
        this.container = container;
        this.file = file;
        Files.createDirectories(file.toAbsolutePath().getParent());
    }

    /** Follows the log until the node ends; call again after each start of the node. */
    synchronized void follow() {
        stopFollowing();
        int sinceSeconds = (int) Math.max(0, lastSeen.getEpochSecond());
        following =
                logs(engine.streams().logContainerCmd(container))
                        .withFollowStream(true)
                        .withSince(sinceSeconds)
                        .exec(
                                new ResultCallback.Adapter<Frame>() {
                                    @Override
                                    public void onNext(Frame frame) {
                                        append(frame.getPayload());
                                    }

                                    @Override
                                    public void onError(Throwable failure) {
                                        // The end of the stream by whatever cause: the whole log
                                        // is fetched at the end of the run.
                                        onComplete();
                                    }
                                });
    }

    private static LogContainerCmd logs(LogContainerCmd command) {
        return command.withStdOut(true).withStdErr(true).withTimestamps(true);
    }

    private synchronized void append(byte[] payload) {
        byte[] line = withoutTime(payload, true);
        if (line.length == 0 || !writable) {
            return;
        }
        try {
            Files.write(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            // A full disk must not take the run down with it; the history's writer reports it.
            writable = false;
        }
    }

    /** The line itself; nothing when it has been written before. */
    private byte[] withoutTime(byte[] payload, boolean onlyNew) {
        String text = new String(payload, StandardCharsets.UTF_8);
        int space = text.indexOf(' ');
        Instant time = space < 0 ? null : instant(text.substring(0, space));
        if (time == null) {
            return payload; // The rest of a very long line.
        }
        if (onlyNew && !time.isAfter(lastSeen)) {
            return new byte[0];
        }
        lastSeen = time;
        return text.substring(space + 1).getBytes(StandardCharsets.UTF_8);
    }

    private static @Nullable Instant instant(String text) {
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException e) {
            return null;
        }
    }

    private void stopFollowing() {
        ResultCallback.Adapter<Frame> old = following;
        following = null;
        if (old != null) {
            try {
                old.close();
            } catch (IOException e) {
                // It has ended; nothing is lost, the whole log is fetched at the end.
                return;
            }
        }
    }

    /** Replaces the file by the whole log; the container must still be there. */
    void complete() throws IOException {
        synchronized (this) {
            stopFollowing();
        }
        Path whole = file.resolveSibling(file.getFileName() + ".part");
        try (OutputStream out = Files.newOutputStream(whole)) {
            ResultCallback.Adapter<Frame> copy =
                    logs(engine.commands().logContainerCmd(container))
                            .exec(
                                    new ResultCallback.Adapter<Frame>() {
                                        @Override
                                        public void onNext(Frame frame) {
                                            copyLine(out, frame.getPayload());
                                        }
                                    });
            if (!copy.awaitCompletion(20, TimeUnit.SECONDS)) {
                copy.close();
                throw new IOException("the log of " + container + " did not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while fetching the log of " + container, e);
        } catch (RuntimeException e) {
            Files.deleteIfExists(whole);
            throw new IOException(
                    "the log of " + container + " is not to be had: " + Engine.rootMessage(e), e);
        }
        Files.move(whole, file, StandardCopyOption.REPLACE_EXISTING);
    }

    private synchronized void copyLine(OutputStream out, byte[] payload) {
        try {
            out.write(withoutTime(payload, false));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** The last lines of the file, for an error message. */
    String tail(int lineCount) {
        try {
            var lines = Files.readAllLines(file);
            return String.join(
                    " | ", lines.subList(Math.max(0, lines.size() - lineCount), lines.size()));
        } catch (IOException e) {
            return "";
        }
    }
}
