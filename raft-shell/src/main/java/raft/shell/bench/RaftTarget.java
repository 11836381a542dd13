package raft.shell.bench;

import raft.client.Blob;
import raft.client.CallException;
import raft.client.PipelinedClient;
import raft.client.Reply;
import raft.client.Request;

import java.util.ArrayList;
import java.util.List;

/** Our node, through {@link PipelinedClient}. */
final class RaftTarget implements Target {
    private static final int CONNECT_MILLIS = 5_000;

    private final String host;
    private final int port;
    private final PipelinedClient client = new PipelinedClient();
    private final List<PipelinedClient.Connection> connections = new ArrayList<>();

    RaftTarget(String host, int port) {
        this.host = host;
        this.port = port;
    }

    @Override
    public void connect(int count) throws CallException {
        while (connections.size() < count) {
            connections.add(client.connect(host, port, CONNECT_MILLIS));
        }
    }

    @Override
    public void execute(int connection, Runnable work) {
        client.execute(work);
    }

    @Override
    public void start(int connection, boolean write, byte[] key, byte[] value, Done done) {
        Blob name = Blob.wrap(key);
        Request request = write ? new Request.Put(name, Blob.wrap(value)) : new Request.Get(name);
        connections
                .get(connection)
                .call(
                        request,
                        new PipelinedClient.Callback() {
                            @Override
                            public void replied(Reply reply) {
                                done.done(reply instanceof Reply.Ok ? null : reply.toString());
                            }

                            @Override
                            public void failed(CallException cause) {
                                done.done(String.valueOf(cause.getMessage()));
                            }
                        });
    }

    @Override
    public void close() {
        client.close();
    }
}
