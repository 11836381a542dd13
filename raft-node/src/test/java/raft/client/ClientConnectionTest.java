package raft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import static java.nio.charset.StandardCharsets.US_ASCII;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

@Timeout(60)
class ClientConnectionTest {
    private static final long LONG_MILLIS = 30_000;
    private static final long SHORT_MILLIS = 50;
    private static final Request GET = new Request.Get(Blob.ofText("x"));
    private static final ServerHello WELCOME = new ServerHello.Accepted(1, "n1", "demo");

    private final List<AutoCloseable> opened = new ArrayList<>();

    /** What a server does with one connection; the socket is closed afterwards. */
    private interface Script {
        void play(DataInputStream in, OutputStream out) throws IOException;
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : opened.reversed()) {
            one.close();
        }
    }

    @Test
    void callsGetTheirRepliesOneAfterTheOther() throws Exception {
        Reply found = new Reply.Ok(new Result.Found(Blob.wrap(new byte[1 << 20])), 3, 18);
        Reply refused = new Reply.Refused(Refusal.NOT_LEADER, "n3", "This node is a follower.");
        int port =
                serve(
                        (in, out) -> {
                            greet(in, out, WELCOME);
                            for (Reply reply : List.of(found, refused)) {
                                Call call = readCall(in);
                                out.write(ClientCodec.encodeAnswer(call.id(), reply).array());
                            }
                        });
        try (ClientConnection connection = connect(port, LONG_MILLIS)) {
            assertThat(connection.server()).isEqualTo(WELCOME);
            assertThat(connection.call(GET, LONG_MILLIS)).isEqualTo(found);
            assertThat(connection.call(GET, LONG_MILLIS)).isEqualTo(refused);
        }
    }

    @Test
    void refusedConnectionMeansNotSent() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        CallException thrown = failure(() -> connect(port, LONG_MILLIS));
        assertThat(thrown.fate()).isEqualTo(CallException.Fate.NOT_SENT);
        assertThat(thrown).hasMessage("cannot talk to 127.0.0.1:" + port + ": Connection refused");
    }

    @Test
    void refusedHandshakeMeansNotSentAndSaysWhy() throws Exception {
        int port = serve((in, out) -> greet(in, out, new ServerHello.Refused(1, "Not today.")));
        CallException thrown = failure(() -> connect(port, LONG_MILLIS));
        assertThat(thrown.fate()).isEqualTo(CallException.Fate.NOT_SENT);
        assertThat(thrown).hasMessageEndingWith(": it refused: Not today. (it speaks version 1)");
    }

    @Test
    void serverOfAnotherProtocolIsNamedAsSuch() throws Exception {
        int port = serve((_, out) -> out.write("SSH-2.0-OpenSSH_9.2\r\n".getBytes(US_ASCII)));
        CallException thrown = failure(() -> connect(port, LONG_MILLIS));
        assertThat(thrown.fate()).isEqualTo(CallException.Fate.NOT_SENT);
        assertThat(thrown)
                .hasMessageEndingWith(
                        ": A frame of 1397966893 bytes was announced, at most 1024 are allowed.");
    }

    @Test
    void silenceDuringTheHandshakeEndsAtTheDeadline() throws Exception {
        int port = serve((in, _) -> in.readAllBytes());
        CallException thrown = failure(() -> connect(port, SHORT_MILLIS));
        assertThat(thrown.fate()).isEqualTo(CallException.Fate.NOT_SENT);
        assertThat(thrown).hasMessageEndingWith(": timed out");
    }

    @Test
    void lostConnectionAfterTheRequestMeansMaybe() throws Exception {
        int port =
                serve(
                        (in, out) -> {
                            greet(in, out, WELCOME);
                            readCall(in);
                        });
        ClientConnection connection = open(connect(port, LONG_MILLIS));
        CallException thrown = failure(() -> connection.call(GET, LONG_MILLIS));
        assertThat(thrown.fate()).isEqualTo(CallException.Fate.MAYBE_RECEIVED);
        assertThat(thrown).hasMessageEndingWith(": the server closed the connection");
        CallException after = failure(() -> connection.call(GET, LONG_MILLIS));
        assertThat(after.fate()).isEqualTo(CallException.Fate.NOT_SENT);
    }

    @Test
    void deadlineEndsALargeCallThatNobodyReads() throws Exception {
        CountDownLatch over = new CountDownLatch(1);
        opened.add(over::countDown);
        int port =
                serve(
                        (in, out) -> {
                            greet(in, out, WELCOME);
                            awaitQuietly(over);
                        });
        Blob large = Blob.wrap(new byte[Limits.VALUE_BYTES_MAX]);
        Request cas = new Request.Cas(Blob.ofText("x"), large, large);
        CallException thrown =
                failure(
                        () -> {
                            try (ClientConnection connection = connect(port, LONG_MILLIS)) {
                                connection.call(cas, SHORT_MILLIS);
                            }
                        });
        assertThat(thrown.fate()).isEqualTo(CallException.Fate.MAYBE_RECEIVED);
        assertThat(thrown).hasMessageEndingWith(": timed out");
    }

    @Test
    void closingWakesACallThatWaits() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        int port =
                serve(
                        (in, out) -> {
                            greet(in, out, WELCOME);
                            readCall(in);
                            arrived.countDown();
                            in.readAllBytes();
                        });
        ClientConnection connection = open(connect(port, LONG_MILLIS));
        Thread closer =
                Thread.startVirtualThread(
                        () -> {
                            awaitQuietly(arrived);
                            connection.close();
                        });
        CallException thrown = failure(() -> connection.call(GET, LONG_MILLIS));
        assertThat(thrown.fate()).isEqualTo(CallException.Fate.MAYBE_RECEIVED);
        closer.join();
    }

    // ---- fixture

    private interface Action {
        void run() throws Exception;
    }

    private static CallException failure(Action action) {
        CallException thrown = catchThrowableOfType(CallException.class, action::run);
        assertThat(thrown).isNotNull();
        return thrown;
    }

    private static ClientConnection connect(int port, long timeoutMillis) throws CallException {
        return ClientConnection.connect("127.0.0.1", port, timeoutMillis);
    }

    private int serve(Script script) throws IOException {
        ServerSocket listener = open(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
        Thread.startVirtualThread(
                () -> {
                    try (Socket socket = listener.accept()) {
                        script.play(
                                new DataInputStream(socket.getInputStream()),
                                socket.getOutputStream());
                    } catch (IOException closed) {
                        // The client has seen what it was to see.
                    }
                });
        return listener.getLocalPort();
    }

    private static void greet(DataInputStream in, OutputStream out, ServerHello hello)
            throws IOException {
        assertThat(ClientCodec.decodeClientHello(readFrame(in))).isEqualTo(1);
        out.write(ClientCodec.encodeServerHello(hello).array());
    }

    private static Call readCall(DataInputStream in) throws IOException {
        return ClientCodec.decodeCall(readFrame(in));
    }

    private static ByteBuffer readFrame(DataInputStream in) throws IOException {
        return ByteBuffer.wrap(in.readNBytes(in.readInt()));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private <T extends AutoCloseable> T open(T one) {
        opened.add(one);
        return one;
    }
}
