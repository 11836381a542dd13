package raft.shell.bench;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollSocketChannel;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * etcd, through grpc-java over Netty's epoll transport: the fastest way to it from Java. Of its v3
 * protocol just Put and Range are needed, so their messages are written by hand rather than
 * generated; that also spares the load generator objects that it would have to collect.
 */
final class EtcdTarget implements Target {
    /** Wire types of Protocol Buffers: field 1 and 2, length-delimited. */
    private static final int FIELD_1_BYTES = 1 << 3 | 2;

    private static final int FIELD_2_BYTES = 2 << 3 | 2;

    private static final MethodDescriptor.Marshaller<byte[]> RAW =
            new MethodDescriptor.Marshaller<>() {
                @Override
                public InputStream stream(byte[] value) {
                    return new ByteArrayInputStream(value);
                }

                @Override
                public byte[] parse(InputStream stream) {
                    try {
                        return stream.readAllBytes();
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                }
            };

    private static final MethodDescriptor<byte[], byte[]> PUT = method("Put");
    private static final MethodDescriptor<byte[], byte[]> RANGE = method("Range");

    private final String host;
    private final int port;
    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final List<ManagedChannel> channels = new ArrayList<>();

    EtcdTarget(String host, int port) {
        this.host = host;
        this.port = port;
    }

    private static MethodDescriptor<byte[], byte[]> method(String name) {
        return MethodDescriptor.<byte[], byte[]>newBuilder()
                .setType(MethodType.UNARY)
                .setFullMethodName("etcdserverpb.KV/" + name)
                .setRequestMarshaller(RAW)
                .setResponseMarshaller(RAW)
                .build();
    }

    @Override
    public void connect(int count) {
        while (channels.size() < count) {
            channels.add(
                    NettyChannelBuilder.forAddress(host, port)
                            .usePlaintext()
                            .eventLoopGroup(group)
                            .channelType(EpollSocketChannel.class)
                            .directExecutor()
                            .build());
        }
    }

    @Override
    public void execute(int connection, Runnable work) {
        group.next().execute(work);
    }

    @Override
    public void start(int connection, boolean write, byte[] key, byte[] value, Done done) {
        ClientCall<byte[], byte[]> call =
                channels.get(connection).newCall(write ? PUT : RANGE, CallOptions.DEFAULT);
        call.start(new Listener(done), new Metadata());
        call.sendMessage(write ? put(key, value) : range(key));
        call.halfClose();
        call.request(2);
    }

    /** etcd answers only with what succeeded; everything else is a status. */
    private static final class Listener extends ClientCall.Listener<byte[]> {
        private final Done done;

        Listener(Done done) {
            this.done = done;
        }

        @Override
        public void onClose(@Nullable Status status, @Nullable Metadata trailers) {
            done.done(status != null && status.isOk() ? null : String.valueOf(status));
        }
    }

    /** PutRequest: 1 key, 2 value. */
    private static byte[] put(byte[] key, byte[] value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(key.length + value.length + 16);
        bytes(out, FIELD_1_BYTES, key);
        bytes(out, FIELD_2_BYTES, value);
        return out.toByteArray();
    }

    /** RangeRequest: 1 key; without "serializable" it is linearizable. */
    private static byte[] range(byte[] key) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(key.length + 8);
        bytes(out, FIELD_1_BYTES, key);
        return out.toByteArray();
    }

    private static void bytes(ByteArrayOutputStream out, int tag, byte[] content) {
        out.write(tag);
        int left = content.length;
        while (left >= 0x80) {
            out.write((left & 0x7F) | 0x80);
            left >>>= 7;
        }
        out.write(left);
        out.writeBytes(content);
    }

    @Override
    public void close() {
        channels.forEach(ManagedChannel::shutdownNow);
        var _ = group.shutdownGracefully();
    }
}
