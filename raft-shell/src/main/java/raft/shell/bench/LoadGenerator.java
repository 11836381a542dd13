package raft.shell.bench;

import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The process that puts one store under load: a closed loop, in which each of the clients asks
 * again as soon as it has its answer. Driven by lines on standard input, so that it stays warm from
 * round to round; it knows nothing of clusters.
 *
 * <pre>
 * run write|read CLIENTS CONNECTIONS MILLIS  -> result OPERATIONS FAILURES NANOS HISTOGRAM [TROUBLE]
 * fill FROM COUNT KEYS CLIENTS CONNECTIONS BYTES  -> likewise
 * </pre>
 */
public final class LoadGenerator {
    static final int VALUE_BYTES = 256;

    /** Keys of a {@code run}; {@code fill} writes them first. */
    static final int KEY_COUNT = 10_000;

    private static final long LATENCY_NANOS_MAX = TimeUnit.MINUTES.toNanos(1);
    private static final int GRACE_MILLIS = 10_000;

    private final Target target;

    private LoadGenerator(Target target) {
        this.target = target;
    }

    /** {@code raft|etcd HOST PORT}. */
    public static void main(String[] args) throws Exception {
        // Whatever a library prints must not be taken for an answer.
        PrintStream answers = System.out;
        System.setOut(System.err);
        int port = Integer.parseInt(args[2]);
        try (Target target =
                        args[0].equals("raft")
                                ? new RaftTarget(args[1], port)
                                : new EtcdTarget(args[1], port);
                BufferedReader in =
                        new BufferedReader(
                                new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            LoadGenerator generator = new LoadGenerator(target);
            String line;
            while ((line = in.readLine()) != null) {
                answers.println(generator.carryOut(line.split(" ")));
                answers.flush();
            }
        }
    }

    private String carryOut(String[] words) throws Exception {
        Round round;
        if (words[0].equals("fill")) {
            long from = Long.parseLong(words[1]);
            long keyCount = Long.parseLong(words[3]);
            round = new Round(true, from, from + Long.parseLong(words[2]), keyCount, words[6]);
            return round.run(words[4], words[5], TimeUnit.HOURS.toMillis(1));
        }
        boolean write = words[1].equals("write");
        round = new Round(write, 0, Long.MAX_VALUE, KEY_COUNT, "" + VALUE_BYTES);
        return round.run(words[2], words[3], Long.parseLong(words[4]));
    }

    static byte[] key(long number) {
        String digits = Long.toString(number);
        return ("key-" + "0".repeat(12 - digits.length()) + digits)
                .getBytes(StandardCharsets.US_ASCII);
    }

    private final class Round {
        private final boolean write;
        private final byte[] value;
        private final boolean inOrder;
        private final long end;
        private final long keyCount;
        private final AtomicLong next;
        private final Histogram latencies = new Histogram(LATENCY_NANOS_MAX, 3);
        private final Random random = new Random(1);
        private long operationCount;
        private long failureCount;
        private @Nullable String firstTrouble;
        private long endNanos;
        private long lastNanos;
        private CountDownLatch running = new CountDownLatch(0);

        Round(boolean write, long from, long end, long keyCount, String valueBytes) {
            this.keyCount = keyCount;
            this.write = write;
            this.inOrder = end != Long.MAX_VALUE;
            this.next = new AtomicLong(from);
            this.end = end;
            this.value = new byte[Integer.parseInt(valueBytes)];
            random.nextBytes(value);
        }

        String run(String clients, String connections, long millis) throws Exception {
            int clientCount = Integer.parseInt(clients);
            int connectionCount = Integer.parseInt(connections);
            target.connect(connectionCount);
            running = new CountDownLatch(clientCount);
            long start = System.nanoTime();
            endNanos = start + TimeUnit.MILLISECONDS.toNanos(millis);
            List<Client> all = new ArrayList<>();
            for (int i = 0; i < clientCount; i++) {
                all.add(new Client(i % connectionCount));
            }
            // Every client lives on the target's one thread, and so does all that this round
            // counts.
            target.execute(0, () -> all.forEach(Client::ask));
            boolean ended = running.await(millis + GRACE_MILLIS, TimeUnit.MILLISECONDS);
            if (!ended) {
                throw new IOException("operations hang for " + GRACE_MILLIS + " ms");
            }
            ByteBuffer packed = ByteBuffer.allocate(latencies.getNeededByteBufferCapacity());
            latencies.encodeIntoCompressedByteBuffer(packed);
            byte[] bytes = new byte[packed.flip().remaining()];
            packed.get(bytes);
            return "result "
                    + operationCount
                    + " "
                    + failureCount
                    + " "
                    + (lastNanos - start)
                    + " "
                    + Base64.getEncoder().encodeToString(bytes)
                    + (firstTrouble == null ? "" : " " + firstTrouble.replace('\n', ' '));
        }

        /** One that asks, waits, asks again. */
        private final class Client implements Target.Done {
            private final int connection;
            private long startNanos;

            Client(int connection) {
                this.connection = connection;
            }

            void ask() {
                long number = inOrder ? next.getAndIncrement() : random.nextInt(KEY_COUNT);
                if (number >= end) {
                    running.countDown();
                    return;
                }
                byte[] key = key(number % keyCount);
                startNanos = System.nanoTime();
                target.start(connection, write, key, value, this);
            }

            @Override
            public void done(@Nullable String trouble) {
                long now = System.nanoTime();
                lastNanos = now;
                if (trouble == null) {
                    operationCount++;
                    latencies.recordValue(Math.min(now - startNanos, LATENCY_NANOS_MAX));
                } else {
                    failureCount++;
                    if (firstTrouble == null) {
                        firstTrouble = trouble;
                    }
                }
                // A store that refuses would be asked without end and without pause.
                if (now - endNanos < 0 && failureCount < 1000) {
                    ask();
                } else {
                    running.countDown();
                }
            }
        }
    }
}
