package raft.harness.docker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import raft.client.Blob;
import raft.client.ClientCodec;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;
import raft.client.ServerHello;
import raft.harness.cluster.Completion;
import raft.harness.cluster.Invocation;
import raft.harness.docker.ScriptedNode.Greeting;
import raft.harness.docker.ScriptedNode.Step;
import raft.harness.history.HistoryEvent;
import raft.harness.history.Value;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

@Timeout(60)
class ProtocolClientsTest {
    private static final long LONG_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long SHORT_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final Value X = Value.of("x");
    private static final Step DONE = new Step.Say(new Reply.Ok(new Result.Done(), 3, 17));
    private static final Step FOUND =
            new Step.Say(new Reply.Ok(new Result.Found(Blob.ofText("42")), 3, 18));

    private final BlockingQueue<Completion> completions = new LinkedBlockingQueue<>();
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : opened.reversed()) {
            one.close();
        }
        assertThat(completions).as("completions nobody expected").isEmpty();
    }

    // ---- operations and values

    @Test
    void readWriteCasAndDeleteWithNumbersAndTexts() throws Exception {
        InstantServer server = open(InstantServer.start("n1"));
        ProtocolClients clients = clients(Map.of("n1", server.address()));
        assertThat(run(clients, "read", Value.NIL)).isEqualTo("OK nil");
        assertThat(run(clients, "write", Value.of(-7))).isEqualTo("OK -7");
        assertThat(run(clients, "read", Value.NIL)).isEqualTo("OK -7");
        assertThat(run(clients, "cas", Value.of(Value.of(-7), Value.of("07"))))
                .isEqualTo("OK [-7, \"07\"]");
        assertThat(run(clients, "read", Value.NIL)).isEqualTo("OK \"07\"");
        assertThat(run(clients, "cas", Value.of(Value.of(7), Value.of(8))))
                .isEqualTo("FAIL [7, 8] compare-failed");
        assertThat(run(clients, "cas", Value.of(Value.NIL, Value.of(8))))
                .isEqualTo("FAIL [nil, 8] compare-failed");
        assertThat(run(clients, "delete", Value.NIL)).isEqualTo("OK nil");
        assertThat(run(clients, "delete", Value.NIL)).isEqualTo("OK nil");
        assertThat(run(clients, "cas", Value.of(Value.NIL, Value.of(8)))).isEqualTo("OK [nil, 8]");
        assertThat(run(clients, "read", Value.NIL)).isEqualTo("OK 8");
    }

    @Test
    void keysAreIndependentAndValuesMayBeLarge() throws Exception {
        InstantServer server = open(InstantServer.start("n1"));
        ProtocolClients clients = clients(Map.of("n1", server.address()));
        Value large = Value.of("v".repeat(1 << 20));
        clients.invoke(new Invocation(0, "n1", "write", Value.of(1), large, LONG_NANOS));
        assertThat(next().type()).isEqualTo(HistoryEvent.Type.OK);
        clients.invoke(new Invocation(0, "n1", "read", Value.of(1), Value.NIL, LONG_NANOS));
        assertThat(next().value()).isEqualTo(large);
        clients.invoke(new Invocation(0, "n1", "read", Value.NIL, Value.NIL, LONG_NANOS));
        assertThat(next().value()).isEqualTo(Value.NIL);
    }

    @Test
    void whatTheProtocolCannotCarryIsNeverSent() throws Exception {
        ScriptedNode node = node(_ -> DONE);
        ProtocolClients clients = clients(node);
        assertThat(run(clients, "transfer", Value.of(1)))
                .isEqualTo("FAIL 1 not-supported: the client protocol has no 'transfer'");
        assertThat(run(clients, "write", Value.NIL))
                .isEqualTo("FAIL nil not-supported: nil cannot be written, only deleted");
        assertThat(run(clients, "cas", Value.of(1)))
                .isEqualTo("FAIL 1 not-supported: a cas needs [expected, new], not 1");
        assertThat(run(clients, "write", new Value.Bool(true)))
                .isEqualTo("FAIL true not-supported: a store of texts cannot keep true");
        assertThat(run(clients, "write", Value.of("v".repeat((1 << 20) + 1))))
                .endsWith("not-supported: a value has at most 1048576 bytes, this one has 1048577");
        assertThat(node.received).isEmpty();
    }

    @Test
    void completionCarriesNodeTermAndIndexOfTheReply() throws Exception {
        ProtocolClients clients = clients(node(_ -> FOUND));
        Invocation read = new Invocation(4, "n1", "read", X, Value.NIL, LONG_NANOS);
        clients.invoke(read);
        assertThat(next())
                .isEqualTo(
                        new Completion.Operation(
                                read, HistoryEvent.Type.OK, Value.of(42), "n1", null, 3, 18));
    }

    // ---- refusals and hints

    @Test
    void hintIsFollowedAndTheNextOperationStartsAtItsOwnNodeAgain() throws Exception {
        ScriptedNode follower = node(_ -> notLeader("n2"));
        ScriptedNode leader = node(_ -> DONE);
        ProtocolClients clients = clients(Map.of("n1", follower.address(), "n2", leader.address()));
        for (int i = 0; i < 3; i++) {
            clients.invoke(write(0, LONG_NANOS));
            Completion.Operation end = next();
            assertThat(end.type()).isEqualTo(HistoryEvent.Type.OK);
            assertThat(end.node()).isEqualTo("n2");
        }
        assertThat(follower.received).hasSize(3);
        assertThat(leader.received).hasSize(3);
        assertThat(follower.accepted).as("connections are kept").hasSize(1);
        assertThat(leader.accepted).hasSize(1);
    }

    @Test
    void hintsThatLeadInCirclesEndAsRefused() throws Exception {
        ScriptedNode one = node(_ -> notLeader("n2"));
        ScriptedNode two = node(_ -> notLeader("n1"));
        ProtocolClients clients = clients(Map.of("n1", one.address(), "n2", two.address()));
        assertThat(run(clients, "write", Value.of(1))).isEqualTo("FAIL 1 refused: not-leader");
        assertThat(one.received).hasSize(2);
        assertThat(two.received).hasSize(2);
    }

    @Test
    void refusalsCertainlyDidNotHappen() throws Exception {
        for (Refusal refusal : Refusal.values()) {
            ProtocolClients clients =
                    clients(node(_ -> new Step.Say(new Reply.Refused(refusal, null, "No."))));
            assertThat(run(clients, "write", Value.of(1)))
                    .isEqualTo(
                            "FAIL 1 refused: "
                                    + refusal.name().toLowerCase(Locale.ROOT).replace('_', '-'));
        }
    }

    @Test
    void hintToANodeThatIsDownIsAFailureBecauseNothingWasSentThere() throws Exception {
        ScriptedNode follower = node(_ -> notLeader("n2"));
        ScriptedNode down = node(_ -> DONE);
        down.close();
        ProtocolClients clients = clients(Map.of("n1", follower.address(), "n2", down.address()));
        assertThat(run(clients, "write", Value.of(1)))
                .isEqualTo("FAIL 1 not-connected: Connection refused");
    }

    // ---- uncertainty

    @Test
    void unknownIsInfoForAWriteAndFailForARead() throws Exception {
        ScriptedNode node = node(_ -> new Step.Say(new Reply.Unknown("Leadership was lost.")));
        ProtocolClients clients = clients(node);
        assertThat(run(clients, "read", Value.NIL))
                .isEqualTo("FAIL nil unknown: Leadership was lost.");
        assertThat(run(clients, "write", Value.of(1)))
                .isEqualTo("INFO 1 unknown: Leadership was lost.");
        assertThat(node.closedByClient.take()).isEqualTo("closed");
    }

    @Test
    void connectionThatEndsAfterTheRequestLeavesItUncertain() throws Exception {
        ProtocolClients clients = clients(node(_ -> new Step.Close()));
        assertThat(run(clients, "cas", Value.of(Value.of(1), Value.of(2))))
                .startsWith("INFO [1, 2] connection-lost: ");
        assertThat(run(clients, "read", Value.NIL)).startsWith("FAIL nil connection-lost: ");
    }

    @Test
    void noReplyInTimeLeavesItUncertainAndTheConnectionIsThrownAway() throws Exception {
        ScriptedNode node = node(_ -> new Step.Hang());
        ProtocolClients clients = clients(node);
        clients.invoke(write(0, SHORT_NANOS));
        assertThat(text(next())).isEqualTo("INFO 1 timeout");
        assertThat(node.closedByClient.take()).isEqualTo("closed");
        clients.invoke(new Invocation(10, "n1", "read", X, Value.NIL, SHORT_NANOS));
        assertThat(text(next())).isEqualTo("FAIL nil timeout");
        assertThat(node.closedByClient.take()).isEqualTo("closed");
    }

    @Test
    void repliesThatMakeNoSenseLeaveItUncertain() throws Exception {
        ProtocolClients mismatched = clients(node(_ -> FOUND));
        assertThat(run(mismatched, "write", Value.of(1))).isEqualTo("INFO 1 unintelligible-reply");
        ByteBuffer garbage = ByteBuffer.wrap(new byte[] {0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9});
        ProtocolClients noise = clients(node(_ -> new Step.Raw(garbage)));
        assertThat(run(noise, "write", Value.of(1)))
                .isEqualTo("INFO 1 connection-lost: A reply has no status 9.");
        ByteBuffer other = ClientCodec.encodeAnswer(99, new Reply.Unknown("?"));
        ProtocolClients wrongId = clients(node(_ -> new Step.Raw(other)));
        assertThat(run(wrongId, "write", Value.of(1)))
                .startsWith("INFO 1 connection-lost: a reply to no open request, number 99");
        ByteBuffer huge = ByteBuffer.wrap(new byte[] {127, 0, 0, 0});
        ProtocolClients unbounded = clients(node(_ -> new Step.Raw(huge)));
        assertThat(run(unbounded, "write", Value.of(1)))
                .startsWith("INFO 1 connection-lost: A frame of 2130706432 bytes was announced");
    }

    // ---- nothing was sent

    @Test
    void refusedConnectionIsAFailure() throws Exception {
        ScriptedNode down = node(_ -> DONE);
        down.close();
        assertThat(run(clients(down), "write", Value.of(1)))
                .isEqualTo("FAIL 1 not-connected: Connection refused");
    }

    @Test
    void handshakeThatFailsIsAFailure() throws Exception {
        ServerHello no = new ServerHello.Refused(1, "Not today.");
        ProtocolClients refused =
                clients(open(new ScriptedNode(0, new Greeting.Say(no), _ -> DONE)));
        assertThat(run(refused, "write", Value.of(1)))
                .isEqualTo("FAIL 1 not-connected: handshake refused: Not today.");
        ProtocolClients closed =
                clients(open(new ScriptedNode(0, new Greeting.Close(), _ -> DONE)));
        assertThat(run(closed, "write", Value.of(1)))
                .isEqualTo("FAIL 1 not-connected: the node closed the connection");
        ProtocolClients hanging =
                clients(open(new ScriptedNode(0, new Greeting.Hang(), _ -> DONE)));
        hanging.invoke(write(0, SHORT_NANOS));
        assertThat(text(next())).isEqualTo("FAIL 1 timeout-before-sending");
    }

    @Test
    void nodeThatWasRestartedBetweenOperationsCostsNothing() throws Exception {
        ScriptedNode first = node(_ -> DONE);
        ProtocolClients clients = clients(first);
        assertThat(run(clients, "write", Value.of(1))).isEqualTo("OK 1");
        InetSocketAddress address = first.address();
        first.close();
        open(new ScriptedNode(address.getPort(), ScriptedNode.WELCOME, _ -> DONE));
        assertThat(run(clients, "write", Value.of(2))).isEqualTo("OK 2");
    }

    // ---- life cycle

    @Test
    void closeEndsWhatIsUnderWayAndWhatComesLater() throws Exception {
        ScriptedNode node = node(_ -> new Step.Hang());
        ScriptedNode deaf = open(new ScriptedNode(0, new Greeting.Hang(), _ -> DONE));
        ProtocolClients clients = clients(Map.of("n1", node.address(), "n2", deaf.address()));
        clients.invoke(write(0, LONG_NANOS));
        clients.invoke(new Invocation(1, "n1", "read", X, Value.NIL, LONG_NANOS));
        clients.invoke(new Invocation(2, "n2", "write", X, Value.of(1), LONG_NANOS));
        node.received.take();
        node.received.take();
        deaf.accepted.take();
        clients.close();
        Map<Long, String> ends = new HashMap<>();
        for (int i = 0; i < 3; i++) {
            Completion.Operation end = next();
            ends.put(end.invocation().process(), text(end));
        }
        assertThat(ends)
                .isEqualTo(
                        Map.of(
                                0L, "INFO 1 closed",
                                1L, "FAIL nil closed",
                                2L, "FAIL 1 closed-before-sending"));
        clients.invoke(write(0, LONG_NANOS));
        assertThat(text(next())).isEqualTo("FAIL 1 closed-before-sending");
    }

    @Test
    void misuseIsABug() throws Exception {
        ScriptedNode node = node(_ -> new Step.Hang());
        ProtocolClients clients = clients(node);
        assertThatThrownBy(
                        () ->
                                clients.invoke(
                                        new Invocation(0, "n9", "read", X, Value.NIL, LONG_NANOS)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no node n9 among [n1]");
        clients.invoke(write(0, LONG_NANOS));
        node.received.take();
        assertThatThrownBy(() -> clients.invoke(write(0, LONG_NANOS)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("process 0 has an operation under way");
        clients.close();
        assertThat(text(next())).isEqualTo("INFO 1 closed");
    }

    @Test
    void manyProcessesAtOnceEachGetExactlyOneCompletionAnOperation() throws Exception {
        InstantServer server = open(InstantServer.start("n1"));
        ProtocolClients clients = clients(Map.of("n1", server.address()));
        int processCount = 50;
        int perProcess = 200;
        long[] done = new long[processCount];
        for (int process = 0; process < processCount; process++) {
            clients.invoke(own(process, 0));
        }
        for (int i = 0; i < processCount * perProcess; i++) {
            Completion.Operation end = next();
            int process = (int) end.invocation().process();
            assertThat(end.type()).isEqualTo(HistoryEvent.Type.OK);
            if (end.invocation().f().equals("read")) {
                assertThat(end.value()).isEqualTo(Value.of(done[process] - 1));
            }
            done[process]++;
            if (done[process] < perProcess) {
                clients.invoke(own(process, done[process]));
            }
        }
        assertThat(done).containsOnly(perProcess);
    }

    /** Writes and reads by turns on a key that no other process uses. */
    private static Invocation own(int process, long number) {
        boolean write = number % 2 == 0;
        return new Invocation(
                process,
                "n1",
                write ? "write" : "read",
                Value.of(process),
                write ? Value.of(number) : Value.NIL,
                LONG_NANOS);
    }

    private String run(ProtocolClients clients, String f, Value value) throws InterruptedException {
        clients.invoke(new Invocation(0, "n1", f, X, value, LONG_NANOS));
        return text(next());
    }

    private static Invocation write(long process, long timeoutNanos) {
        return new Invocation(process, "n1", "write", X, Value.of(1), timeoutNanos);
    }

    private static Step notLeader(String hint) {
        return new Step.Say(new Reply.Refused(Refusal.NOT_LEADER, hint, "Not me."));
    }

    private Completion.Operation next() throws InterruptedException {
        return (Completion.Operation) completions.take();
    }

    private static String text(Completion.Operation end) {
        return end.type() + " " + end.value() + (end.error() == null ? "" : " " + end.error());
    }

    private ScriptedNode node(Function<Request, Step> script) throws IOException {
        return open(new ScriptedNode(script));
    }

    private ProtocolClients clients(ScriptedNode node) {
        return clients(Map.of("n1", node.address()));
    }

    private ProtocolClients clients(Map<String, InetSocketAddress> nodes) {
        return open(new ProtocolClients(nodes, System::nanoTime, completions::add));
    }

    private <T extends AutoCloseable> T open(T one) {
        opened.add(one);
        return one;
    }
}
