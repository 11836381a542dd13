package raft.harness.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import raft.client.Blob;
import raft.client.Refusal;
import raft.client.Request;
import raft.client.Result;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.Invocation.Retry;
import raft.harness.cluster.Outcomes.Ending;
import raft.harness.history.Value;
import raft.harness.protocol.Conversation.Next;

class ConversationTest {
    private static final Request.Append APPEND =
            new Request.Append(Blob.ofText("1"), Blob.ofText("5"));
    private final ClientSession session = new ClientSession();

    private Conversation append(Retry retry) {
        return new Conversation(
                new Invocation(0, "n1", "append", Value.of(1), Value.of(5), 6, retry), session);
    }

    @Test
    void sessionIsRegisteredOnceAndEveryAttemptHasTheSameNumber() {
        Conversation first = append(Retry.IN_SESSION);
        assertThat(first.request()).isEqualTo(new Request.Session.Register());
        assertThat(first.failed(Ending.TIMED_OUT)).isEqualTo(new Next.Again(true));
        assertThat(first.answered(new Result.Number(9))).isEqualTo(new Next.Again(false));
        assertThat(first.request()).isEqualTo(new Request.InSession(9, 1, 1, APPEND));
        assertThat(first.failed(Ending.CONNECTION_LOST)).isEqualTo(new Next.Again(true));
        assertThat(first.request()).isEqualTo(new Request.InSession(9, 1, 1, APPEND));
        assertThat(first.answered(new Result.Number(3)))
                .isEqualTo(new Next.End(new Translation.Learnt(Ending.DONE, null)));
        assertThat(append(Retry.IN_SESSION).request())
                .isEqualTo(new Request.InSession(9, 2, 2, APPEND));
    }

    @Test
    void whatWasNeverSentOrOnlyRegisteredDidNotHappen() {
        Conversation conversation = append(Retry.IN_SESSION);
        conversation.failed(Ending.TIMED_OUT);
        assertThat(conversation.timeUp(true)).isEqualTo(Ending.TIMED_OUT_UNSENT);
        conversation.answered(new Result.Number(9));
        assertThat(conversation.timeUp(false)).isEqualTo(Ending.TIMED_OUT_UNSENT);
        assertThat(conversation.timeUp(true)).isEqualTo(Ending.TIMED_OUT);
    }

    @Test
    void refusalOfALaterAttemptDoesNotUndoAnEarlierOne() {
        session.opened(9);
        Conversation conversation = append(Retry.IN_SESSION);
        conversation.failed(Ending.TIMED_OUT);
        assertThat(conversation.refused(Refusal.NOT_LEADER)).isEqualTo(new Next.Again(true));
        assertThat(conversation.timeUp(false)).isEqualTo(Ending.TIMED_OUT);
        assertThat(conversation.refused(Refusal.SESSION_EXPIRED)).isEqualTo(ended(Ending.UNKNOWN));
    }

    @Test
    void expiredSessionIsRegisteredAgainWhereNothingWasSentInIt() {
        session.opened(9);
        Conversation conversation = append(Retry.IN_SESSION);
        assertThat(conversation.request()).isInstanceOf(Request.InSession.class);
        assertThat(conversation.refused(Refusal.SESSION_EXPIRED)).isEqualTo(new Next.Again(true));
        assertThat(conversation.request()).isEqualTo(new Request.Session.Register());
    }

    @Test
    void answerKeptByTheSessionIsTheLastWord() {
        session.opened(9);
        Conversation conversation = append(Retry.IN_SESSION);
        conversation.failed(Ending.TIMED_OUT);
        assertThat(conversation.refused(Refusal.WRONG_TYPE)).isEqualTo(ended(Ending.REFUSED));
        Conversation blind = append(Retry.BLINDLY);
        assertThat(blind.failed(Ending.TIMED_OUT)).isEqualTo(new Next.Again(true));
        assertThat(blind.request()).isEqualTo(APPEND);
        assertThat(blind.refused(Refusal.WRONG_TYPE)).isEqualTo(ended(Ending.UNKNOWN));
    }

    @Test
    void operationThatIsNotTriedAgainEndsAsItsOnlyAttempt() {
        assertThat(append(Retry.NEVER).failed(Ending.TIMED_OUT)).isEqualTo(ended(Ending.TIMED_OUT));
        assertThat(append(Retry.NEVER).refused(Refusal.BUSY)).isEqualTo(ended(Ending.REFUSED));
        assertThat(append(Retry.NEVER).timeUp(true)).isEqualTo(Ending.TIMED_OUT);
    }

    private static Next ended(Ending ending) {
        return new Next.End(new Translation.Learnt(ending, null));
    }
}
