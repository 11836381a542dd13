package raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

import raft.core.Effect.RoleName;

import java.util.ArrayList;
import java.util.List;

/**
 * Figure 2 of the paper, rule by rule and in its order, on one node of three. What the sections say
 * beyond it is in {@link RaftStepTest} (§5, §8, thesis §6, §9.6, §10.2) and {@link MembershipTest}
 * (§7, thesis §3.10, §4, §6.4).
 */
final class Figure2Test {
    private static final NodeId N1 = new NodeId("n1");
    private static final NodeId N2 = new NodeId("n2");
    private static final NodeId N3 = new NodeId("n3");

    private long nowNanos;
    private long ticket;

    private static Entry entry(long index, long term) {
        return new Entry(index, term, Entry.Kind.COMMAND, Bytes.wrap(new byte[] {(byte) index}));
    }

    private static Raft node(long term, long... entryTerms) {
        List<Entry> entries = new ArrayList<>();
        for (long entryTerm : entryTerms) {
            entries.add(entry(entries.size() + 1, entryTerm));
        }
        return new Raft(
                RaftConfig.defaults(N1, List.of(N1, N2, N3), 7),
                new Recovered(new LogWrite.HardState(term, null), entries),
                0);
    }

    /** Lets it happen, and all that it writes become durable at once. */
    private List<Effect> step(Raft raft, Event event) {
        List<Effect> all = new ArrayList<>();
        List<Effect> effects = raft.step(nowNanos, event);
        while (!effects.isEmpty()) {
            all.addAll(effects);
            long before = ticket;
            for (Effect effect : effects) {
                if (effect instanceof Effect.Persist persist) {
                    ticket = persist.ticket();
                }
            }
            effects =
                    ticket == before ? List.of() : raft.step(nowNanos, new Event.Persisted(ticket));
        }
        return all;
    }

    private List<Effect> receive(Raft raft, NodeId from, Message message) {
        return step(raft, new Event.Receive(from, message));
    }

    private List<Effect> timeout(Raft raft) {
        nowNanos = Math.max(nowNanos, raft.deadlineNanos());
        return step(raft, new Event.Timer());
    }

    private Raft leader(Raft raft) {
        timeout(raft);
        receive(raft, N2, new Message.PreVoteReply(raft.term(), raft.term() + 1, true));
        receive(raft, N2, new Message.VoteReply(raft.term(), true));
        assertThat(raft.role()).isEqualTo(RoleName.LEADER);
        return raft;
    }

    private static Message.AppendEntries append(
            long term, long prevIndex, long prevTerm, long commit, Entry... entries) {
        return new Message.AppendEntries(term, prevIndex, prevTerm, List.of(entries), commit);
    }

    private static List<Message> sent(List<Effect> effects) {
        return effects.stream()
                .filter(Effect.Send.class::isInstance)
                .map(effect -> ((Effect.Send) effect).message())
                .toList();
    }

    private static List<Long> terms(Raft raft) {
        return raft.entries(1, 99).stream().map(Entry::term).toList();
    }

    @Nested
    class State {
        @Test
        void currentTermAndVotedForAreUpdatedOnStableStorageBeforeResponding() {
            List<Effect> effects = receive(node(1), N2, new Message.VoteRequest(2, 0, 0));
            int written = effects.indexOf(lastPersist(effects));
            int answered = effects.indexOf(new Effect.Send(N2, new Message.VoteReply(2, true)));
            assertThat(written).isNotNegative().isLessThan(answered);
        }

        @Test
        void logEntriesAreUpdatedOnStableStorageBeforeResponding() {
            List<Effect> effects = receive(node(1), N2, append(1, 0, 0, 0, entry(1, 1)));
            int written = effects.indexOf(lastPersist(effects));
            int answered = effects.indexOf(new Effect.Send(N2, new Message.AppendAccepted(1, 1)));
            assertThat(written).isNotNegative().isLessThan(answered);
        }

        private Effect lastPersist(List<Effect> effects) {
            return effects.stream()
                    .filter(Effect.Persist.class::isInstance)
                    .reduce((first, second) -> second)
                    .orElseThrow();
        }

        @Test
        void commitIndexAndLastAppliedStartAtZero() {
            Raft raft = node(3, 1, 2);
            assertThat(raft.commitIndex()).isZero();
            assertThat(raft.appliedIndex()).isZero();
        }

        @Test
        void nextIndexStartsBehindTheLeadersLogAndMatchIndexAtZero() {
            Raft raft = node(2, 1, 2);
            leader(raft);
            assertThat(raft.peerViews())
                    .allSatisfy(
                            peer -> {
                                assertThat(peer.nextIndex()).isEqualTo(3);
                                assertThat(peer.matchIndex()).isZero();
                            });
        }
    }

    @Nested
    class AppendEntriesReceiver {
        @Test
        void rule1RepliesFalseIfTheTermIsOlder() {
            Raft raft = node(5, 1);
            List<Effect> effects = receive(raft, N2, append(4, 1, 1, 0, entry(2, 4)));
            assertThat(sent(effects)).containsExactly(new Message.AppendRejected(5, 1, 0, 0));
            assertThat(terms(raft)).containsExactly(1L);
        }

        @Test
        void rule2RepliesFalseIfTheLogHoldsNoSuchPreviousEntry() {
            Raft raft = node(5, 1, 1);
            assertThat(sent(receive(raft, N2, append(5, 2, 4, 0, entry(3, 5)))))
                    .singleElement()
                    .isInstanceOf(Message.AppendRejected.class);
            assertThat(sent(receive(raft, N2, append(5, 4, 4, 0, entry(5, 5)))))
                    .singleElement()
                    .isInstanceOf(Message.AppendRejected.class);
        }

        @Test
        void rule3DeletesAConflictingEntryAndAllThatFollow() {
            Raft raft = node(5, 1, 2, 2, 2);
            List<Effect> effects = receive(raft, N2, append(5, 1, 1, 0, entry(2, 3)));
            assertThat(effects).contains(new Effect.Truncated(2));
            assertThat(terms(raft)).containsExactly(1L, 3L);
        }

        @Test
        void rule4AppendsOnlyWhatIsNotInTheLogYet() {
            Raft raft = node(5, 1, 2, 2);
            receive(raft, N2, append(5, 1, 1, 0, entry(2, 2)));
            assertThat(terms(raft)).containsExactly(1L, 2L, 2L);
            receive(raft, N2, append(5, 2, 2, 0, entry(3, 2), entry(4, 5)));
            assertThat(terms(raft)).containsExactly(1L, 2L, 2L, 5L);
        }

        @Test
        void rule5TakesTheLesserOfLeaderCommitAndTheLastNewEntry() {
            Raft raft = node(5);
            receive(raft, N2, append(5, 0, 0, 9, entry(1, 5), entry(2, 5)));
            assertThat(raft.commitIndex()).isEqualTo(2);
            receive(raft, N2, append(5, 2, 5, 1, entry(3, 5)));
            assertThat(raft.commitIndex()).isEqualTo(2);
        }
    }

    @Nested
    class RequestVoteReceiver {
        @Test
        void rule1RepliesFalseIfTheTermIsOlder() {
            assertThat(sent(receive(node(5), N2, new Message.VoteRequest(4, 9, 4))))
                    .containsExactly(new Message.VoteReply(5, false));
        }

        @Test
        void rule2GrantsIfFreeAndTheCandidatesLogIsAtLeastAsUpToDate() {
            Raft raft = node(5, 1, 2);
            assertThat(sent(receive(raft, N2, new Message.VoteRequest(6, 9, 1))))
                    .containsExactly(new Message.VoteReply(6, false));
            assertThat(sent(receive(raft, N2, new Message.VoteRequest(6, 2, 2))))
                    .containsExactly(new Message.VoteReply(6, true));
            assertThat(sent(receive(raft, N3, new Message.VoteRequest(6, 9, 9))))
                    .containsExactly(new Message.VoteReply(6, false));
        }
    }

    @Nested
    class RulesForServers {
        @Test
        void allApplyWhatIsCommittedInOrder() {
            List<Effect> effects =
                    receive(node(5), N2, append(5, 0, 0, 2, entry(1, 4), entry(2, 5)));
            assertThat(effects)
                    .containsSubsequence(
                            new Effect.Apply(entry(1, 4), 0), new Effect.Apply(entry(2, 5), 0));
        }

        @Test
        void allConvertToFollowersOnAHigherTerm() {
            Raft raft = leader(node(1));
            receive(raft, N3, new Message.AppendRejected(7, 0, 0, 0));
            assertThat(raft.role()).isEqualTo(RoleName.FOLLOWER);
            assertThat(raft.term()).isEqualTo(7);
        }

        @Test
        void followersRespondAndStandAfterATimeoutWithoutALeader() {
            Raft raft = node(1);
            assertThat(sent(receive(raft, N2, new Message.Heartbeat(1, 0, 1))))
                    .containsExactly(new Message.HeartbeatReply(1, 1));
            timeout(raft);
            assertThat(raft.role()).isEqualTo(RoleName.PRE_CANDIDATE);
        }

        @Test
        void candidatesIncrementTheTermVoteForThemselvesAndAskAllOthers() {
            Raft raft = node(1, 1);
            timeout(raft);
            List<Effect> effects = receive(raft, N2, new Message.PreVoteReply(1, 2, true));
            assertThat(raft.term()).isEqualTo(2);
            assertThat(raft.votedFor()).isEqualTo(N1);
            assertThat(effects)
                    .contains(
                            new Effect.Send(N2, new Message.VoteRequest(2, 1, 1)),
                            new Effect.Send(N3, new Message.VoteRequest(2, 1, 1)));
        }

        @Test
        void candidatesFollowANewLeaderAndTryAgainAfterATimeout() {
            Raft raft = node(1);
            timeout(raft);
            receive(raft, N2, new Message.PreVoteReply(1, 2, true));
            assertThat(raft.role()).isEqualTo(RoleName.CANDIDATE);
            timeout(raft);
            assertThat(raft.role()).isEqualTo(RoleName.PRE_CANDIDATE);
            receive(raft, N3, append(2, 0, 0, 0, entry(1, 2)));
            assertThat(raft.role()).isEqualTo(RoleName.FOLLOWER);
            assertThat(raft.leader()).isEqualTo(N3);
        }

        @Test
        void leadersSendHeartbeatsAtOnceAndWhileIdle() {
            Raft raft = node(1);
            timeout(raft);
            receive(raft, N2, new Message.PreVoteReply(1, 2, true));
            List<Effect> elected = receive(raft, N2, new Message.VoteReply(2, true));
            assertThat(sent(elected)).anyMatch(Message.Heartbeat.class::isInstance);
            assertThat(sent(timeout(raft))).anyMatch(Message.Heartbeat.class::isInstance);
        }

        @Test
        void leadersAppendCommandsAndAnswerOnceTheyAreApplied() {
            Raft raft = leader(node(1));
            receive(raft, N2, new Message.AppendAccepted(2, 1));
            List<Effect> asked = step(raft, new Event.Propose(5, Bytes.wrap(new byte[] {1})));
            assertThat(asked).noneMatch(Effect.Apply.class::isInstance);
            List<Effect> committed = receive(raft, N2, new Message.AppendAccepted(2, 2));
            assertThat(committed)
                    .anyMatch(effect -> effect instanceof Effect.Apply a && a.requestId() == 5);
        }

        @Test
        void leadersDecrementNextIndexOnARejectionAndTryAgain() {
            Raft raft = leader(node(2, 1, 1, 2));
            List<Effect> effects = receive(raft, N2, new Message.AppendRejected(3, 3, 2, 1));
            assertThat(sent(effects))
                    .anySatisfy(
                            message -> {
                                assertThat(message).isInstanceOf(Message.AppendEntries.class);
                                assertThat(((Message.AppendEntries) message).prevLogIndex())
                                        .isEqualTo(2);
                            });
        }

        @Test
        void leadersCommitOnAMajorityOnlyEntriesOfTheirOwnTerm() {
            Raft raft = leader(node(2, 1, 2));
            receive(raft, N2, new Message.AppendAccepted(3, 2));
            assertThat(raft.commitIndex()).isZero();
            receive(raft, N2, new Message.AppendAccepted(3, 3));
            assertThat(raft.commitIndex()).isEqualTo(3);
        }
    }

    /** §5.5: followers and candidates may crash; requests are idempotent. */
    @Nested
    class Section5_5_Crashes {
        @Test
        void aRequestThatWasAnsweredBeforeTheCrashIsAnsweredAlikeAfterIt() {
            Raft raft = node(1);
            Message.AppendEntries request = append(1, 0, 0, 0, entry(1, 1));
            assertThat(sent(receive(raft, N2, request)))
                    .containsExactly(new Message.AppendAccepted(1, 1));
            Raft again = node(1, 1);
            ticket = 0;
            assertThat(sent(receive(again, N2, request)))
                    .containsExactly(new Message.AppendAccepted(1, 1));
            assertThat(terms(again)).containsExactly(1L);
        }
    }

    /** §8: a new leader's first entry is a no-op of its own. */
    @Nested
    class Section8_Clients {
        @Test
        void theFirstEntryOfATermIsANoOp() {
            Raft raft = leader(node(1, 1));
            assertThat(raft.entries(2, 9))
                    .containsExactly(new Entry(2, 2, Entry.Kind.NOOP, Bytes.EMPTY));
        }
    }
}
