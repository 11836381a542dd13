package raft.kv;

import static org.assertj.core.api.Assertions.assertThat;

import static raft.kv.StoreFixture.ABSENT;
import static raft.kv.StoreFixture.DONE;
import static raft.kv.StoreFixture.blob;
import static raft.kv.StoreFixture.found;
import static raft.kv.StoreFixture.number;

import org.junit.jupiter.api.Test;

import raft.client.Blob;
import raft.client.Limits;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;

import java.util.List;

/** Thesis §6.3: a write that is sent again is not carried out again. */
class SessionsTest {
    private static final Blob K = blob("k");
    private final StoreFixture on = new StoreFixture();

    @Test
    void repetitionGetsTheFirstAnswerAndChangesNothing() {
        long session = register();
        assertThat(on.result(append(session, 1, 1, "a"))).isEqualTo(number(1));
        assertThat(on.result(append(session, 2, 1, "b"))).isEqualTo(number(2));
        assertThat(on.result(append(session, 1, 1, "a"))).isEqualTo(number(1));
        assertThat(on.result(append(session, 2, 2, "b"))).isEqualTo(number(2));
        assertThat(on.result(new Request.Get(K)))
                .isEqualTo(new Result.Elements(List.of(blob("a"), blob("b"))));
        assertThat(on.store.duplicateCount()).isEqualTo(2);
    }

    @Test
    void repeatedDequeueAnswersWithTheSameElement() {
        long session = register();
        on.result(new Request.Enqueue(K, blob("1")));
        on.result(new Request.Enqueue(K, blob("2")));
        Request dequeue = new Request.InSession(session, 1, 1, new Request.Dequeue(K));
        assertThat(on.result(dequeue)).isEqualTo(found("1"));
        assertThat(on.result(dequeue)).isEqualTo(found("1"));
        assertThat(on.result(new Request.Dequeue(K))).isEqualTo(found("2"));
    }

    @Test
    void refusalOfTheStoreIsKeptTooSoThatALateRepetitionCannotSucceed() {
        long session = register();
        on.result(new Request.Increment(K, 1));
        Applied first = on.apply(append(session, 1, 1, "a"));
        assertThat(first)
                .isEqualTo(
                        new Applied.Rejected(
                                Refusal.WRONG_TYPE, "The key holds a counter, not a list."));
        on.result(new Request.Delete(K));
        assertThat(on.apply(append(session, 1, 1, "a"))).isEqualTo(first);
        assertThat(on.result(new Request.Get(K))).isEqualTo(ABSENT);
    }

    @Test
    void sessionsDoNotShareTheirNumbers() {
        long one = register();
        long other = register();
        assertThat(other).isNotEqualTo(one);
        assertThat(on.result(append(one, 1, 1, "a"))).isEqualTo(number(1));
        assertThat(on.result(append(other, 1, 1, "a"))).isEqualTo(number(2));
    }

    @Test
    void writesMayArriveInAnyOrder() {
        long session = register();
        assertThat(on.result(append(session, 3, 1, "c"))).isEqualTo(number(1));
        assertThat(on.result(append(session, 1, 1, "a"))).isEqualTo(number(2));
        assertThat(on.result(append(session, 3, 1, "c"))).isEqualTo(number(1));
    }

    @Test
    void whatTheClientSaysToHaveIsForgottenAndARepetitionOfItIsUnknown() {
        long session = register();
        on.result(append(session, 1, 1, "a"));
        on.result(append(session, 2, 2, "b"));
        Applied late = on.apply(append(session, 1, 1, "a"));
        assertThat(late).isEqualTo(new Applied.Forgotten());
        assertThat(late.reply(1, 1)).isInstanceOf(Reply.Unknown.class);
        assertThat(on.result(new Request.Get(K)))
                .isEqualTo(new Result.Elements(List.of(blob("a"), blob("b"))));
    }

    @Test
    void unknownSessionIsAnErrorAndNothingIsDone() {
        assertThat(on.rejection(Refusal.SESSION_EXPIRED, append(77, 1, 1, "a")))
                .isEqualTo("There is no session 77, or not any more.");
        on.rejection(Refusal.SESSION_EXPIRED, new Request.Session.KeepAlive(77));
        on.rejection(Refusal.SESSION_EXPIRED, new Request.Session.Close(77));
        long session = register();
        assertThat(on.result(new Request.Session.Close(session))).isEqualTo(DONE);
        on.rejection(Refusal.SESSION_EXPIRED, append(session, 1, 1, "a"));
        assertThat(on.store.stateHash()).isZero();
    }

    @Test
    void clientTooFarAheadOfItsLowestOpenWriteIsRefused() {
        long session = register();
        on.result(append(session, Limits.SESSION_ANSWERS_MAX, 1, "a"));
        assertThat(on.apply(append(session, Limits.SESSION_ANSWERS_MAX + 1, 1, "b")).reply(1, 1))
                .isEqualTo(
                        new Reply.Refused(
                                Refusal.TOO_LARGE,
                                null,
                                "Session "
                                        + session
                                        + " keeps too many answers; say which have arrived."));
        assertThat(on.result(append(session, Limits.SESSION_ANSWERS_MAX + 1, 2, "b")))
                .isEqualTo(number(2));
    }

    @Test
    void longestUnusedSessionGoesWhenThereAreTooMany() {
        long first = register();
        long second = register();
        for (int i = 2; i < Sessions.SESSION_COUNT_MAX; i++) {
            register();
        }
        on.result(new Request.Session.KeepAlive(first));
        long last = register();
        assertThat(on.store.sessionCount()).isEqualTo(Sessions.SESSION_COUNT_MAX);
        on.rejection(Refusal.SESSION_EXPIRED, new Request.Session.KeepAlive(second));
        assertThat(on.result(append(first, 1, 1, "a"))).isEqualTo(number(1));
        assertThat(on.result(append(last, 1, 1, "b"))).isEqualTo(number(2));
    }

    @Test
    void largeAnswersAreBoundedForOneSessionAndForAllTogether() {
        Blob large = Blob.wrap(new byte[Limits.VALUE_BYTES_MAX - 4]);
        long first = register();
        int kept = fill(first, large);
        assertThat(kept).isEqualTo((int) (Sessions.ANSWER_BYTES_PER_SESSION_MAX >> 20));
        long second = register();
        fill(second, large);
        fill(register(), large);
        assertThat(on.result(new Request.Session.KeepAlive(first))).isEqualTo(DONE);
        fill(register(), large);
        assertThat(on.store.sessionCount()).isEqualTo(3);
        on.rejection(Refusal.SESSION_EXPIRED, new Request.Session.KeepAlive(second));
        assertThat(on.result(new Request.Session.KeepAlive(first))).isEqualTo(DONE);
    }

    /** Dequeues until the session is full; returns how many answers it keeps then. */
    private int fill(long session, Blob large) {
        int kept = 0;
        while (true) {
            on.result(new Request.Enqueue(K, large));
            Applied applied =
                    on.apply(new Request.InSession(session, kept + 1, 1, new Request.Dequeue(K)));
            if (applied instanceof Applied.Rejected(Refusal reason, _)) {
                assertThat(reason).isEqualTo(Refusal.TOO_LARGE);
                on.result(new Request.Dequeue(K));
                return kept;
            }
            kept++;
        }
    }

    private long register() {
        return ((Result.Number) on.result(new Request.Session.Register())).number();
    }

    private static Request append(long session, long sequence, long lowestOpen, String element) {
        return new Request.InSession(
                session, sequence, lowestOpen, new Request.Append(K, blob(element)));
    }
}
