package raft.harness.docker;

import raft.client.Call;
import raft.client.ClientCodec;
import raft.client.FrameBuffer;
import raft.client.Limits;
import raft.client.Reply;
import raft.client.Request;
import raft.client.ServerHello;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;

/** A node that does to its clients whatever a test wants. */
final class ScriptedNode implements AutoCloseable {
    /** What to do with a request that arrived whole. */
    sealed interface Step {
        record Say(Reply reply) implements Step {}

        /** These bytes instead of a reply. */
        record Raw(ByteBuffer bytes) implements Step {}

        record Close() implements Step {}

        /** Say nothing, keep the connection. */
        record Hang() implements Step {}
    }

    /** What to do with a client that has just said hello. */
    sealed interface Greeting {
        record Say(ServerHello hello) implements Greeting {}

        record Close() implements Greeting {}

        record Hang() implements Greeting {}
    }

    static final Greeting WELCOME = new Greeting.Say(new ServerHello.Accepted(1, "n", "test"));

    /** Requests, in the order in which they arrived. */
    final BlockingQueue<Request> received = new LinkedBlockingQueue<>();

    /** One element for every connection that its client has closed. */
    final BlockingQueue<String> closedByClient = new LinkedBlockingQueue<>();

    /** One element for every connection accepted. */
    final BlockingQueue<String> accepted = new LinkedBlockingQueue<>();

    private final ServerSocketChannel listener;
    private final Greeting greeting;
    private final Function<Request, Step> script;
    private final Set<SocketChannel> open = ConcurrentHashMap.newKeySet();
    private final Thread acceptor;
    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();

    ScriptedNode(int port, Greeting greeting, Function<Request, Step> script) throws IOException {
        this.greeting = greeting;
        this.script = script;
        listener = ServerSocketChannel.open();
        listener.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        acceptor = Thread.startVirtualThread(this::accept);
    }

    ScriptedNode(Function<Request, Step> script) throws IOException {
        this(0, WELCOME, script);
    }

    InetSocketAddress address() {
        return new InetSocketAddress(
                InetAddress.getLoopbackAddress(), listener.socket().getLocalPort());
    }

    /**
     * Waits for the threads: a socket in which another thread blocks is closed only when that
     * thread has left it, and until then the port is taken and clients are let in.
     */
    @Override
    public void close() throws IOException {
        listener.close();
        join(acceptor);
        for (SocketChannel channel : open) {
            channel.close();
        }
        for (Thread thread : threads) {
            join(thread);
        }
    }

    private static void join(Thread thread) throws IOException {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted before the threads had ended", e);
        }
    }

    private void accept() {
        try {
            while (true) {
                SocketChannel channel = listener.accept();
                open.add(channel);
                accepted.add("accepted");
                threads.add(Thread.startVirtualThread(() -> serve(channel)));
            }
        } catch (IOException closed) {
            // The test is over.
        }
    }

    private void serve(SocketChannel channel) {
        FrameBuffer in = new FrameBuffer();
        try (channel) {
            boolean goOn = greet(channel, in);
            while (goOn) {
                Call call = ClientCodec.decodeCall(read(channel, in));
                received.add(call.request());
                switch (script.apply(call.request())) {
                    case Step.Say(Reply reply) ->
                            channel.write(ClientCodec.encodeAnswer(call.id(), reply));
                    case Step.Raw(ByteBuffer bytes) -> channel.write(bytes.duplicate());
                    case Step.Hang() -> {}
                    case Step.Close() -> goOn = false;
                }
            }
        } catch (IOException closed) {
            closedByClient.add("closed");
        }
    }

    private boolean greet(SocketChannel channel, FrameBuffer in) throws IOException {
        ClientCodec.decodeClientHello(read(channel, in));
        return switch (greeting) {
            case Greeting.Say(ServerHello hello) -> {
                channel.write(ClientCodec.encodeServerHello(hello));
                yield true;
            }
            case Greeting.Close() -> false;
            case Greeting.Hang() -> true;
        };
    }

    private static ByteBuffer read(SocketChannel channel, FrameBuffer in) throws IOException {
        ByteBuffer frame = in.next(Limits.FRAME_BYTES_MAX);
        while (frame == null) {
            if (channel.read(in.space()) < 0) {
                throw new IOException("closed");
            }
            frame = in.next(Limits.FRAME_BYTES_MAX);
        }
        return frame;
    }
}
