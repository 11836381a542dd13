package raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import raft.core.Effect.Refusal;
import raft.core.Effect.RoleName;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Thesis chapters 3.10, 4 and 6.4 on one node, step by step; then whole clusters at random. */
final class MembershipTest {
    private static final NodeId N1 = new NodeId("n1");
    private static final NodeId N2 = new NodeId("n2");
    private static final NodeId N3 = new NodeId("n3");
    private static final NodeId N4 = new NodeId("n4");

    private long nowNanos;
    private long ticket;
    private RaftConfig config = RaftConfig.defaults(N1, List.of(N1, N2, N3), 7);

    private List<Effect> step(Raft raft, Event event) {
        List<Effect> effects = raft.step(nowNanos, event);
        for (Effect effect : effects) {
            if (effect instanceof Effect.Persist persist) {
                ticket = persist.ticket();
            }
        }
        return effects;
    }

    private List<Effect> receive(Raft raft, NodeId from, Message message) {
        return step(raft, new Event.Receive(from, message));
    }

    private List<Effect> synced(Raft raft) {
        return step(raft, new Event.Persisted(ticket));
    }

    /** Leads term 1; its no-op at index 1 is durable here and acknowledged by nobody. */
    private Raft leader() {
        Raft raft = new Raft(config, Recovered.EMPTY, 0);
        nowNanos = Math.max(nowNanos, raft.deadlineNanos());
        step(raft, new Event.Timer());
        receive(raft, N2, new Message.PreVoteReply(0, 1, true));
        synced(raft);
        receive(raft, N2, new Message.VoteReply(1, true));
        synced(raft);
        assertThat(raft.role()).isEqualTo(RoleName.LEADER);
        return raft;
    }

    /** As {@link #leader}, and the no-op is committed. */
    private Raft settledLeader() {
        Raft raft = leader();
        receive(raft, N2, new Message.AppendAccepted(1, 1));
        assertThat(raft.commitIndex()).isEqualTo(1);
        return raft;
    }

    private Event change(long id, Change change) {
        return new Event.ChangeMembership(id, change);
    }

    private static List<Message> sentTo(NodeId to, List<Effect> effects) {
        return effects.stream()
                .filter(effect -> effect instanceof Effect.Send send && send.to().equals(to))
                .map(effect -> ((Effect.Send) effect).message())
                .toList();
    }

    private static Refusal refusal(List<Effect> effects, long id) {
        return effects.stream()
                .filter(effect -> effect instanceof Effect.Refuse r && r.requestId() == id)
                .map(effect -> ((Effect.Refuse) effect).reason())
                .findFirst()
                .orElseThrow();
    }

    @Nested
    class Thesis4_1_OneServerAtATime {
        @Test
        void configurationIsInForceAsSoonAsItIsAppended() {
            Raft raft = settledLeader();
            List<Effect> effects = step(raft, change(1, new Change.AddLearner(N4, "h:4")));
            assertThat(raft.configuration().learners()).containsExactly(N4);
            assertThat(raft.committedConfiguration().learners()).isEmpty();
            assertThat(sentTo(N4, effects)).isNotEmpty();
        }

        /**
         * The erratum to the algorithm: a leader that has committed nothing in its term may not
         * know of another's change, and two changes from one configuration need not overlap.
         */
        @Test
        void nothingChangesBeforeAnEntryOfTheOwnTermIsCommitted() {
            Raft raft = leader();
            List<Effect> effects = step(raft, change(1, new Change.AddLearner(N4, "h:4")));
            assertThat(refusal(effects, 1)).isEqualTo(Refusal.NOT_POSSIBLE_NOW);
            assertThat(raft.lastIndex()).isEqualTo(1);
        }

        @Test
        void secondChangeWaitsUntilTheFirstIsCommitted() {
            Raft raft = settledLeader();
            step(raft, change(1, new Change.AddLearner(N4, "h:4")));
            assertThat(refusal(step(raft, change(2, new Change.Remove(N3))), 2))
                    .isEqualTo(Refusal.CHANGE_IN_PROGRESS);
            synced(raft);
            List<Effect> effects = receive(raft, N2, new Message.AppendAccepted(1, 2));
            assertThat(effects)
                    .anyMatch(e -> e instanceof Effect.Apply apply && apply.requestId() == 1);
            step(raft, change(3, new Change.Remove(N3)));
            assertThat(raft.configuration().voters()).containsExactly(N1, N2);
        }

        @Test
        void truncatedConfigurationGivesWayToTheOneBefore() {
            Raft raft = new Raft(config, Recovered.EMPTY, 0);
            Configuration smaller = config.initial().without(N3);
            Entry entry = new Entry(1, 1, Entry.Kind.CONFIGURATION, smaller.encode());
            receive(raft, N2, new Message.AppendEntries(1, 0, 0, List.of(entry), 0));
            assertThat(raft.configuration()).isEqualTo(smaller);
            Entry other = new Entry(1, 2, Entry.Kind.NOOP, Bytes.EMPTY);
            List<Effect> effects =
                    receive(raft, N3, new Message.AppendEntries(2, 0, 0, List.of(other), 0));
            assertThat(raft.configuration()).isEqualTo(config.initial());
            assertThat(effects).contains(new Effect.Configured(0, config.initial()));
        }

        @Test
        void voterWhoseLossWouldLeaveNoMajorityThatAnswersStays() {
            Raft raft = settledLeader();
            // Only n2 has answered for long: without it n1 would have to decide with n3.
            for (int i = 0; i < 30; i++) {
                nowNanos += config.heartbeatNanos();
                step(raft, new Event.Timer());
                receive(raft, N2, new Message.HeartbeatReply(1, i + 2));
            }
            assertThat(refusal(step(raft, change(1, new Change.Remove(N2))), 1))
                    .isEqualTo(Refusal.NOT_POSSIBLE_NOW);
            step(raft, change(2, new Change.Remove(N3)));
            assertThat(raft.configuration().voters()).containsExactly(N1, N2);
        }
    }

    @Nested
    class Thesis4_2_Availability {
        @Test
        void learnerIsNeverCounted() {
            Raft raft = settledLeader();
            step(raft, change(1, new Change.AddLearner(N4, "h:4")));
            synced(raft);
            receive(raft, N4, new Message.AppendAccepted(1, 2));
            assertThat(raft.commitIndex()).isEqualTo(1);
            receive(raft, N3, new Message.AppendAccepted(1, 2));
            assertThat(raft.commitIndex()).isEqualTo(2);
        }

        @Test
        void learnerBecomesAVoterOnlyOnceItHasCaughtUp() {
            Raft raft = settledLeader();
            step(raft, change(1, new Change.AddLearner(N4, "h:4")));
            synced(raft);
            receive(raft, N2, new Message.AppendAccepted(1, 2));
            step(raft, change(2, new Change.Promote(N4)));
            assertThat(raft.configuration().voters()).containsExactly(N1, N2, N3);
            // The first round takes too long; the second does not.
            nowNanos += 2 * config.electionTimeoutNanos() / 3;
            receive(raft, N2, new Message.AppendAccepted(1, 2));
            nowNanos += 2 * config.electionTimeoutNanos() / 3;
            receive(raft, N4, new Message.AppendAccepted(1, 2));
            assertThat(raft.configuration().voters()).containsExactly(N1, N2, N3);
            step(raft, new Event.Propose(9, Bytes.EMPTY));
            assertThat(raft.configuration().voters()).containsExactly(N1, N2, N3, N4);
        }

        @Test
        void leaderThatRemovedItselfLeadsUntilThatIsCommittedAndDoesNotCountItself() {
            Raft raft = settledLeader();
            step(raft, change(1, new Change.Remove(N1)));
            synced(raft);
            receive(raft, N2, new Message.AppendAccepted(1, 2));
            // n1 and n2 hold it, but of n2 and n3 only one does.
            assertThat(raft.commitIndex()).isEqualTo(1);
            assertThat(raft.role()).isEqualTo(RoleName.LEADER);
            List<Effect> effects = receive(raft, N3, new Message.AppendAccepted(1, 2));
            assertThat(raft.role()).isEqualTo(RoleName.FOLLOWER);
            assertThat(effects)
                    .anyMatch(e -> e instanceof Effect.Apply apply && apply.requestId() == 1)
                    .anyMatch(
                            e ->
                                    e instanceof Effect.Send(NodeId ignored, Message m)
                                            && m.equals(new Message.TimeoutNow(1)));
            // For good: it does not stand any more.
            nowNanos = raft.deadlineNanos();
            step(raft, new Event.Timer());
            assertThat(raft.role()).isEqualTo(RoleName.FOLLOWER);
        }

        @Test
        void nodeThatWaitsToBeAddedNeitherStandsNorVotes() {
            config = RaftConfig.defaults(N4, List.of(), 7);
            Raft raft = new Raft(config, Recovered.EMPTY, 0);
            nowNanos = raft.deadlineNanos();
            step(raft, new Event.Timer());
            assertThat(raft.role()).isEqualTo(RoleName.FOLLOWER);
            assertThat(receive(raft, N1, new Message.VoteRequest(5, 9, 4))).isEmpty();
            assertThat(raft.term()).isZero();
        }
    }

    @Nested
    class Thesis3_10_Transfer {
        @Test
        void targetIsToldToStandOnceItHasEverything() {
            Raft raft = settledLeader();
            step(raft, new Event.Propose(1, Bytes.EMPTY));
            List<Effect> effects = step(raft, new Event.TransferLeadership(2, N3));
            assertThat(sentTo(N3, effects)).doesNotContain(new Message.TimeoutNow(1));
            assertThat(refusal(step(raft, new Event.Propose(3, Bytes.EMPTY)), 3))
                    .isEqualTo(Refusal.BUSY);
            effects = receive(raft, N3, new Message.AppendAccepted(1, 2));
            assertThat(sentTo(N3, effects)).contains(new Message.TimeoutNow(1));
            assertThat(receive(raft, N3, new Message.VoteRequest(2, 2, 1, true)))
                    .contains(new Effect.Done(2));
        }

        @Test
        void transferThatDoesNotComeAboutEndsAndTheLeaderTakesCommandsAgain() {
            Raft raft = settledLeader();
            step(raft, new Event.TransferLeadership(2, N3));
            nowNanos += config.electionTimeoutNanos();
            assertThat(refusal(step(raft, new Event.Timer()), 2))
                    .isEqualTo(Refusal.NOT_POSSIBLE_NOW);
            step(raft, new Event.Propose(3, Bytes.EMPTY));
            assertThat(raft.lastIndex()).isEqualTo(2);
        }

        @Test
        void followersVoteForWhomTheLeaderHandsOverToAlthoughTheyHearOfIt() {
            Raft raft = new Raft(config, Recovered.EMPTY, 0);
            receive(raft, N2, new Message.Heartbeat(1, 0, 1));
            receive(raft, N3, new Message.VoteRequest(2, 0, 0));
            assertThat(raft.term()).isEqualTo(1);
            receive(raft, N3, new Message.VoteRequest(2, 0, 0, true));
            assertThat(raft.votedFor()).isEqualTo(N3);
        }

        @Test
        void onlyTheOwnLeaderCanMakeAFollowerStand() {
            Raft raft = new Raft(config, Recovered.EMPTY, 0);
            receive(raft, N2, new Message.Heartbeat(1, 0, 1));
            receive(raft, N3, new Message.TimeoutNow(1));
            assertThat(raft.role()).isEqualTo(RoleName.FOLLOWER);
            receive(raft, N2, new Message.TimeoutNow(1));
            assertThat(raft.role()).isEqualTo(RoleName.CANDIDATE);
        }
    }

    @Nested
    class Thesis6_4_Reads {
        @Test
        void followerServesAReadOnceItHasAppliedWhatItsLeaderNamed() {
            Raft raft = new Raft(config, Recovered.EMPTY, 0);
            receive(raft, N2, new Message.Heartbeat(1, 0, 1));
            synced(raft);
            List<Effect> effects = step(raft, new Event.Read(5));
            Message.ReadIndexRequest asked =
                    (Message.ReadIndexRequest) sentTo(N2, effects).getFirst();
            assertThat(receive(raft, N2, new Message.ReadIndexReply(1, asked.token() + 1, 0)))
                    .as("another's token")
                    .isEmpty();
            assertThat(receive(raft, N2, new Message.ReadIndexReply(1, asked.token(), 1)))
                    .as("not applied yet")
                    .isEmpty();
            Entry entry = new Entry(1, 1, Entry.Kind.NOOP, Bytes.EMPTY);
            assertThat(receive(raft, N2, new Message.AppendEntries(1, 0, 0, List.of(entry), 1)))
                    .contains(new Effect.ServeRead(5, 1));
        }

        @Test
        void leaderAnswersAFollowerOnlyAfterALaterRoundOfHeartbeats() {
            Raft raft = settledLeader();
            receive(raft, N3, new Message.HeartbeatReply(1, 1));
            List<Effect> effects = receive(raft, N3, new Message.ReadIndexRequest(1, 77));
            assertThat(sentTo(N3, effects)).noneMatch(Message.ReadIndexReply.class::isInstance);
            effects = receive(raft, N2, new Message.HeartbeatReply(1, 2));
            assertThat(sentTo(N3, effects)).contains(new Message.ReadIndexReply(1, 77, 1));
        }

        @Test
        void leaseServesAtOnceUntilItEndsAndNeverAfterAHandOver() {
            config = config.withLease(10);
            Raft raft = settledLeader();
            Effect served = new Effect.ServeRead(1, 1);
            assertThat(step(raft, new Event.Read(1, true))).doesNotContain(served);
            receive(raft, N2, new Message.HeartbeatReply(1, 2));
            assertThat(step(raft, new Event.Read(2, true))).contains(new Effect.ServeRead(2, 1));
            nowNanos += config.electionTimeoutNanos() * 100 / 110;
            assertThat(step(raft, new Event.Read(3, true)))
                    .doesNotContain(new Effect.ServeRead(3, 1));
        }

        @Test
        void whoMayHavePromisedALeaseDoesNotStandForAnOperator() {
            config = config.withLease(10);
            Raft raft = new Raft(config, Recovered.EMPTY, 0);
            receive(raft, N2, new Message.Heartbeat(1, 0, 1));
            synced(raft);
            assertThat(step(raft, new Event.StartElection(1)))
                    .anyMatch(
                            effect ->
                                    effect instanceof Effect.Refuse refuse
                                            && refuse.reason() == Effect.Refusal.NOT_POSSIBLE_NOW);
            nowNanos += config.electionTimeoutNanos();
            assertThat(step(raft, new Event.StartElection(2))).contains(new Effect.Done(2));
        }

        @Test
        void leasesAreOffUnlessAskedFor() {
            Raft raft = settledLeader();
            receive(raft, N2, new Message.HeartbeatReply(1, 1));
            assertThat(step(raft, new Event.Read(1, true)))
                    .noneMatch(Effect.ServeRead.class::isInstance);
        }
    }

    @Nested
    class Section7_Snapshots {
        private Message.InstallSnapshot piece(long offset, int bytes) {
            return new Message.InstallSnapshot(1, 10, 1, 100, offset, Bytes.wrap(new byte[bytes]));
        }

        private Raft follower() {
            Raft raft = new Raft(config, Recovered.EMPTY, 0);
            receive(raft, N2, new Message.Heartbeat(1, 0, 1));
            synced(raft);
            return raft;
        }

        @Test
        void piecesAreTakenInOrderAndEachOnce() {
            Raft raft = follower();
            List<Effect> effects = receive(raft, N2, piece(0, 60));
            assertThat(effects).anyMatch(Effect.KeepChunk.class::isInstance);
            assertThat(sentTo(N2, effects)).containsExactly(new Message.SnapshotReply(1, 10, 60));
            effects = receive(raft, N2, piece(0, 60));
            assertThat(effects).noneMatch(Effect.KeepChunk.class::isInstance);
            assertThat(sentTo(N2, effects)).containsExactly(new Message.SnapshotReply(1, 10, 60));
            effects = receive(raft, N2, piece(60, 40));
            assertThat(effects)
                    .contains(new Effect.KeepChunk(10, 1, 60, Bytes.wrap(new byte[40]), true));
            assertThat(raft.commitIndex()).as("nothing before it is durable").isZero();
        }

        @Test
        void snapshotTakesThePlaceOfALogThatDoesNotHoldItsLastEntry() {
            Raft raft = follower();
            Entry old = new Entry(1, 1, Entry.Kind.NOOP, Bytes.EMPTY);
            receive(raft, N2, new Message.AppendEntries(1, 0, 0, List.of(old), 0));
            receive(raft, N2, piece(0, 100));
            Snapshot snapshot = new Snapshot(10, 1, 100, 0, config.initial());
            List<Effect> effects = step(raft, new Event.SnapshotReceived(snapshot));
            assertThat(effects)
                    .contains(new Effect.Restore(snapshot))
                    .contains(
                            new Effect.Persist(
                                    ticket, List.of(new LogWrite.StartAfter(10, 1, false))));
            assertThat(raft.lastIndex()).isEqualTo(10);
            assertThat(sentTo(N2, effects)).as("not durable yet").isEmpty();
            assertThat(sentTo(N2, synced(raft))).contains(new Message.AppendAccepted(1, 10));
        }

        @Test
        void snapshotOlderThanWhatIsCommittedIsOnlyAcknowledged() {
            Raft raft = follower();
            List<Entry> entries = new ArrayList<>();
            for (int i = 1; i <= 12; i++) {
                entries.add(new Entry(i, 1, Entry.Kind.NOOP, Bytes.EMPTY));
            }
            receive(raft, N2, new Message.AppendEntries(1, 0, 0, entries, 12));
            synced(raft);
            List<Effect> effects = receive(raft, N2, piece(0, 100));
            assertThat(effects)
                    .containsExactly(new Effect.Send(N2, new Message.AppendAccepted(1, 10)));
            assertThat(raft.lastIndex()).isEqualTo(12);
        }

        @Test
        void snapshotThatWasBothTakenAndReceivedStays() {
            Raft raft = follower();
            receive(raft, N2, piece(0, 100));
            // While that is written down, the log brings the same and this node takes its own.
            List<Entry> entries = new ArrayList<>();
            for (int i = 1; i <= 10; i++) {
                entries.add(new Entry(i, 1, Entry.Kind.NOOP, Bytes.EMPTY));
            }
            receive(raft, N2, new Message.AppendEntries(1, 0, 0, entries, 10));
            synced(raft);
            assertThat(step(raft, new Event.TakeSnapshot(7)))
                    .anyMatch(Effect.CaptureState.class::isInstance);
            Snapshot received = new Snapshot(10, 1, 100, 0, config.initial());
            assertThat(step(raft, new Event.SnapshotReceived(received)))
                    .noneMatch(Effect.DeleteSnapshot.class::isInstance);
            Snapshot taken = new Snapshot(10, 1, 99, 0, config.initial());
            assertThat(step(raft, new Event.SnapshotSaved(taken)))
                    .as("both have one name")
                    .containsExactly(new Effect.Done(7));
            assertThat(raft.snapshot()).isEqualTo(received);
        }
    }

    /**
     * A snapshot that was still being written down when an operator had this node stand says that
     * it is a learner by now: it does not stand for a second time.
     */
    @Test
    void candidateThatASnapshotMakesALearnerStandsNoMore() {
        Raft raft = new Raft(config, Recovered.EMPTY, 0);
        receive(raft, N2, new Message.InstallSnapshot(1, 10, 1, 100, 0, Bytes.wrap(new byte[100])));
        step(raft, new Event.StartElection(1));
        assertThat(raft.role()).isEqualTo(RoleName.CANDIDATE);
        Configuration without =
                new Configuration(
                        List.of(
                                new Configuration.Member(N1, "", false),
                                new Configuration.Member(N2, "", true),
                                new Configuration.Member(N3, "", true)));
        step(raft, new Event.SnapshotReceived(new Snapshot(10, 1, 100, 5, without)));
        nowNanos = raft.deadlineNanos();
        List<Effect> effects = step(raft, new Event.Timer());
        assertThat(raft.role()).isEqualTo(RoleName.FOLLOWER);
        assertThat(sentTo(N2, effects)).isEmpty();
    }

    /** Nobody sends it anything any more, but its leader answers when it asks for votes. */
    @Test
    void removedFollowerHearsOfItAndFallsSilent() {
        TestCluster cluster = new TestCluster(4, 3);
        NodeId leader = cluster.awaitSettledLeader();
        NodeId removed =
                cluster.nodes.keySet().stream()
                        .filter(id -> !id.equals(leader))
                        .findFirst()
                        .orElseThrow();
        cluster.cut = (from, to) -> to.equals(removed);
        cluster.ask(leader, id -> change(id, new Change.Remove(removed)));
        for (int i = 0; i < 20; i++) {
            cluster.propose(leader, "value " + i);
        }
        cluster.run(5_000);
        cluster.cut = (from, to) -> false;
        long term = cluster.node(leader).raft().term();
        Raft quiet = cluster.node(removed).raft();
        cluster.await("it hears of it", () -> !quiet.committedConfiguration().contains(removed));
        cluster.run(5_000);
        cluster.lost =
                message -> {
                    assertThat(message).isNotInstanceOf(Message.PreVoteRequest.class);
                    return false;
                };
        cluster.run(60_000);
        assertThat(quiet.role()).isEqualTo(RoleName.FOLLOWER);
        assertThat(quiet.term()).isEqualTo(term);
        assertThat(cluster.leader()).isEqualTo(leader);
        assertThat(cluster.node(leader).raft().term()).isEqualTo(term);
    }

    /**
     * Members come and go, snapshots are taken all the time, and whatever else can go wrong does.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void survivesChurnOfItsMembers(long seed) {
        TestCluster cluster =
                new TestCluster(3, seed, RaftConfig.Limits.DEFAULT.withSnapshots(600, 1000));
        cluster.addOutsider(N4);
        cluster.addOutsider(new NodeId("n5"));
        Random random = new Random(seed);
        cluster.lossShare = 0.05;
        cluster.duplicateShare = 0.05;
        cluster.delayMillisMax = 40;
        List<NodeId> ids = List.copyOf(cluster.nodes.keySet());
        for (int turn = 0; turn < 300; turn++) {
            cluster.run(random.nextInt(200));
            NodeId someone = ids.get(random.nextInt(ids.size()));
            NodeId leader = cluster.leader();
            switch (random.nextInt(10)) {
                case 0 -> cluster.node(someone).crash();
                case 1, 2, 3 -> {
                    if (cluster.node(someone).raft == null) {
                        cluster.node(someone).boot();
                    }
                }
                case 4, 5 -> {
                    if (leader != null) {
                        Configuration now = cluster.node(leader).raft().configuration();
                        cluster.ask(
                                leader,
                                id ->
                                        change(
                                                id,
                                                !now.contains(someone)
                                                        ? new Change.AddLearner(someone, "")
                                                        : !now.isVoter(someone)
                                                                ? new Change.Promote(someone)
                                                                : new Change.Remove(someone)));
                    }
                }
                default -> {
                    if (leader != null) {
                        cluster.propose(leader, "turn " + turn);
                    }
                }
            }
        }
        cluster.lossShare = 0;
        cluster.nodes.values().stream()
                .filter(node -> node.raft == null)
                .forEach(TestCluster.Node::boot);
        cluster.run(3_000);
        NodeId leader = cluster.awaitLeader();
        long last = cluster.propose(leader, "last");
        cluster.run(3_000);
        assertThat(cluster.confirmed).as("seed %d", seed).contains(last);
        assertThat(
                        cluster.nodes.values().stream()
                                .mapToLong(node -> node.raft().firstIndex())
                                .max()
                                .orElse(0))
                .as("seed %d: logs were compacted", seed)
                .isGreaterThan(1);
    }
}
