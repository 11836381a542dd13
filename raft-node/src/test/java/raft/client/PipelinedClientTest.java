package raft.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

@Timeout(60)
class PipelinedClientTest {
    private static final long LONG_MILLIS = 30_000;

    private final BlockingQueue<String> ended = new LinkedBlockingQueue<>();

    private interface Script {
        void play(DataInputStream in, OutputStream out) throws IOException;
    }

    @Test
    void repliesFindTheirRequestsInWhateverOrderTheyCome() throws Exception {
        try (ServerSocket server = serve(PipelinedClientTest::answersTenBackwards);
                PipelinedClient client = new PipelinedClient()) {
            var connection = connect(client, server);
            for (int i = 0; i < 10; i++) {
                connection.call(get("k" + i), named("k" + i));
            }
            List<String> answers = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                answers.add(ended.take());
            }
            assertThat(answers.getFirst()).isEqualTo("k9 found k9");
            assertThat(answers.getLast()).isEqualTo("k0 found k0");
        }
    }

    /** Frames larger than the send buffer and a reader that is slow in taking them. */
    @Test
    void requestsOfAnySizeArriveWholeAndInOrder() throws Exception {
        int count = 20;
        try (ServerSocket server =
                        serve(
                                (in, out) -> {
                                    for (int i = 0; i < count; i++) {
                                        Call call = readCall(in);
                                        Request.Put put = (Request.Put) call.request();
                                        String seen = put.key().text() + put.value().sizeBytes();
                                        Result result = new Result.Found(Blob.ofText(seen));
                                        Reply reply = new Reply.Ok(result, 1, 1);
                                        out.write(
                                                ClientCodec.encodeAnswer(call.id(), reply).array());
                                    }
                                });
                PipelinedClient client = new PipelinedClient()) {
            var connection = connect(client, server);
            for (int i = 0; i < count; i++) {
                Blob value = Blob.wrap(new byte[i * 50_000]);
                connection.call(new Request.Put(Blob.ofText("k"), value), named("" + i));
            }
            for (int i = 0; i < count; i++) {
                assertThat(ended.take()).isEqualTo(i + " found k" + i * 50_000);
            }
        }
    }

    @Test
    void whatWaitsWhenTheConnectionEndsMayHaveBeenReceived() throws Exception {
        try (ServerSocket server = serve((in, out) -> readCall(in));
                PipelinedClient client = new PipelinedClient()) {
            var connection = connect(client, server);
            connection.call(get("a"), named("a"));
            assertThat(ended.take()).isEqualTo("a MAYBE_RECEIVED");
            connection.call(get("b"), named("b"));
            assertThat(ended.take()).isEqualTo("b NOT_SENT");
        }
    }

    @Test
    void closingFailsWhatWaitsAndWhatComesLater() throws Exception {
        PipelinedClient client = new PipelinedClient();
        try (ServerSocket server = serve((in, out) -> in.readAllBytes())) {
            var connection = connect(client, server);
            connection.call(get("a"), named("a"));
            client.close();
            assertThat(ended.take()).isEqualTo("a MAYBE_RECEIVED");
            connection.call(get("b"), named("b"));
            assertThat(ended.take()).isEqualTo("b NOT_SENT");
        }
    }

    @Test
    void anAnswerNobodyAskedForEndsTheConnection() throws Exception {
        try (ServerSocket server =
                        serve(
                                (in, out) -> {
                                    Call call = readCall(in);
                                    Reply reply = new Reply.Unknown("?");
                                    out.write(
                                            ClientCodec.encodeAnswer(call.id() + 7, reply).array());
                                    in.readAllBytes();
                                });
                PipelinedClient client = new PipelinedClient()) {
            connect(client, server).call(get("a"), named("a"));
            assertThat(ended.take()).isEqualTo("a MAYBE_RECEIVED");
        }
    }

    @Test
    void aServerThatRefusesSaysWhy() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                PipelinedClient client = new PipelinedClient()) {
            accept(server, new ServerHello.Refused(1, "Not today."), (in, out) -> {});
            assertThatThrownBy(() -> connect(client, server))
                    .isInstanceOf(CallException.class)
                    .hasMessageEndingWith("it refused: Not today. (it speaks version 1)");
        }
    }

    private static void answersTenBackwards(DataInputStream in, OutputStream out)
            throws IOException {
        List<Call> calls = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            calls.add(readCall(in));
        }
        Collections.reverse(calls);
        for (Call call : calls) {
            Reply reply =
                    new Reply.Ok(new Result.Found(((Request.Get) call.request()).key()), 1, 1);
            out.write(ClientCodec.encodeAnswer(call.id(), reply).array());
        }
        in.readAllBytes();
    }

    private PipelinedClient.Callback named(String name) {
        return new PipelinedClient.Callback() {
            @Override
            public void replied(Reply reply) {
                boolean found = reply instanceof Reply.Ok ok && ok.result() instanceof Result.Found;
                ended.add(name + (found ? " found " + value(reply) : " " + reply));
            }

            @Override
            public void failed(CallException cause) {
                ended.add(name + " " + cause.fate());
            }
        };
    }

    private static String value(Reply reply) {
        return ((Result.Found) ((Reply.Ok) reply).result()).value().text();
    }

    private static Request get(String key) {
        return new Request.Get(Blob.ofText(key));
    }

    private static PipelinedClient.Connection connect(PipelinedClient client, ServerSocket server)
            throws CallException {
        return client.connect("127.0.0.1", server.getLocalPort(), LONG_MILLIS);
    }

    private static ServerSocket serve(Script script) throws IOException {
        ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        accept(server, new ServerHello.Accepted(1, "n1", "demo"), script);
        return server;
    }

    private static void accept(ServerSocket server, ServerHello hello, Script script) {
        Thread.ofVirtual()
                .start(
                        () -> {
                            try (Socket socket = server.accept()) {
                                DataInputStream in = new DataInputStream(socket.getInputStream());
                                in.readNBytes(in.readInt());
                                socket.getOutputStream()
                                        .write(ClientCodec.encodeServerHello(hello).array());
                                script.play(in, socket.getOutputStream());
                            } catch (IOException e) {
                                // The test's other side has gone.
                            }
                        });
    }

    private static Call readCall(DataInputStream in) throws IOException {
        return ClientCodec.decodeCall(ByteBuffer.wrap(in.readNBytes(in.readInt())));
    }
}
