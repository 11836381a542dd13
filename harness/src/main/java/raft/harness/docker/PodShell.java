package raft.harness.docker;

import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.model.Frame;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * One long-lived shell in a pod's network container. A command costs about 3 ms this way; a new
 * exec for each would cost 100 ms, and a partition takes some thirty commands.
 *
 * <p>One command at a time; calls from several threads queue up. A shell that has died (somebody
 * removed the container) fails the command and every later one.
 */
final class PodShell implements AutoCloseable {
    /** What a command printed, on both streams, and its exit status. */
    record Answer(int status, String output) {
        boolean ok() {
            return status == 0;
        }
    }

    private final String container;
    private final Input input = new Input();
    private final ResultCallback.Adapter<Frame> session;
    private final Object turn = new Object();

    // Guarded by `output`.
    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private boolean ended;

    // Guarded by `turn`.
    private long commandCount;
    private boolean broken;

    PodShell(Engine engine, String container) {
        this.container = container;
        String exec =
                engine.commands()
                        .execCreateCmd(container)
                        .withAttachStdin(true)
                        .withAttachStdout(true)
                        .withAttachStderr(true)
                        .withCmd("bash", "--norc", "--noprofile")
                        .exec()
                        .getId();
        this.session =
                engine.streams()
                        .execStartCmd(exec)
                        .withStdIn(input)
                        .exec(
                                new ResultCallback.Adapter<Frame>() {
                                    @Override
                                    public void onNext(Frame frame) {
                                        received(frame.getPayload());
                                    }

                                    @Override
                                    public void onError(Throwable failure) {
                                        ended();
                                        super.onError(failure);
                                    }

                                    @Override
                                    public void onComplete() {
                                        ended();
                                        super.onComplete();
                                    }
                                });
    }

    /**
     * Runs a command and waits for its end.
     *
     * @throws IOException when the shell is gone or does not answer within {@code timeoutMillis};
     *     it is of no more use then, because the answer could still come
     */
    Answer run(String command, long timeoutMillis) throws IOException {
        synchronized (turn) {
            if (broken) {
                throw new IOException("the shell in " + container + " is gone");
            }
            String marker = "@@" + ++commandCount + "@@";
            synchronized (output) {
                output.reset();
            }
            input.add("{ " + command + "\n} 2>&1 </dev/null; echo \"" + marker + "$?\"\n");
            try {
                return await(marker, timeoutMillis);
            } catch (IOException e) {
                broken = true;
                throw e;
            }
        }
    }

    /** As {@link #run}, and a status other than 0 is a failure too. */
    String check(String command, long timeoutMillis) throws IOException {
        Answer answer = run(command, timeoutMillis);
        if (!answer.ok()) {
            throw new IOException(
                    "in "
                            + container
                            + " a command ended with "
                            + answer.status()
                            + ": "
                            + answer.output().strip());
        }
        return answer.output();
    }

    private Answer await(String marker, long timeoutMillis) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        synchronized (output) {
            while (true) {
                Answer answer = parse(output.toString(StandardCharsets.UTF_8), marker);
                if (answer != null) {
                    return answer;
                }
                long leftMillis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (ended || leftMillis <= 0) {
                    throw new IOException(
                            "the shell in "
                                    + container
                                    + (ended ? " ended" : " did not answer within ")
                                    + (ended ? "" : timeoutMillis + " ms"));
                }
                try {
                    output.wait(leftMillis);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IOException("interrupted while waiting for " + container, e);
                }
            }
        }
    }

    /** The answer once it is whole: the marker stands after the output, the status ends a line. */
    static @Nullable Answer parse(String text, String marker) {
        int at = text.lastIndexOf(marker);
        if (at < 0) {
            return null;
        }
        int end = text.indexOf('\n', at);
        if (end < 0) {
            return null;
        }
        int status = Integer.parseInt(text.substring(at + marker.length(), end).strip());
        return new Answer(status, text.substring(0, at));
    }

    private void received(byte[] bytes) {
        synchronized (output) {
            output.write(bytes, 0, bytes.length);
            output.notifyAll();
        }
    }

    private void ended() {
        synchronized (output) {
            ended = true;
            output.notifyAll();
        }
    }

    @Override
    public void close() {
        input.close();
        try {
            session.close();
        } catch (IOException e) {
            // The container is removed next, and its shell with it.
            ended();
        }
    }

    /**
     * What is typed into the shell. A PipedInputStream would watch the thread that wrote last and
     * break when that one ends.
     */
    private static final class Input extends InputStream {
        private static final byte[] END = new byte[0];

        private final BlockingQueue<byte[]> lines = new LinkedBlockingQueue<>();
        private byte[] current = END;
        private int position;
        private volatile boolean closed;

        void add(String line) {
            lines.add(line.getBytes(StandardCharsets.UTF_8));
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            while (position == current.length) {
                if (closed) {
                    return -1;
                }
                try {
                    current = lines.take();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return -1;
                }
                position = 0;
            }
            int count = Math.min(length, current.length - position);
            System.arraycopy(current, position, target, offset, count);
            position += count;
            return count;
        }

        @Override
        public void close() {
            closed = true;
            lines.add(END);
        }
    }
}
