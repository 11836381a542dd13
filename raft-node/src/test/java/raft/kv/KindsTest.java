package raft.kv;

import static org.assertj.core.api.Assertions.assertThat;

import static raft.kv.StoreFixture.ABSENT;
import static raft.kv.StoreFixture.COMPARE_FAILED;
import static raft.kv.StoreFixture.DONE;
import static raft.kv.StoreFixture.blob;
import static raft.kv.StoreFixture.found;
import static raft.kv.StoreFixture.number;

import org.junit.jupiter.api.Test;

import raft.client.Blob;
import raft.client.Consistency;
import raft.client.Limits;
import raft.client.Refusal;
import raft.client.Request;
import raft.client.Result;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Lists, counters, sets, queues, locks, versions, listings. */
class KindsTest {
    private static final Blob K = blob("k");
    private final StoreFixture on = new StoreFixture();

    @Test
    void listKeepsTheOrderOfItsAppends() {
        assertThat(on.result(new Request.Append(K, blob("b")))).isEqualTo(number(1));
        assertThat(on.result(new Request.Append(K, blob("a")))).isEqualTo(number(2));
        assertThat(on.result(new Request.Append(K, blob("b")))).isEqualTo(number(3));
        assertThat(on.result(new Request.Get(K)))
                .isEqualTo(new Result.Elements(List.of(blob("b"), blob("a"), blob("b"))));
    }

    @Test
    void counterAddsAndNeverLeaves64Bits() {
        assertThat(on.result(new Request.Increment(K, 5))).isEqualTo(number(5));
        assertThat(on.result(new Request.Increment(K, -7))).isEqualTo(number(-2));
        assertThat(on.result(new Request.Increment(K, Long.MIN_VALUE + 2)))
                .isEqualTo(number(Long.MIN_VALUE));
        assertThat(on.rejection(Refusal.TOO_LARGE, new Request.Increment(K, -1)))
                .isEqualTo("The counter would leave the range of 64 bits.");
        assertThat(on.result(new Request.Get(K))).isEqualTo(number(Long.MIN_VALUE));
    }

    @Test
    void setHasEachElementOnceAndIsReadSorted() {
        assertThat(on.result(new Request.AddToSet(K, blob("b")))).isEqualTo(number(1));
        assertThat(on.result(new Request.AddToSet(K, blob("a")))).isEqualTo(number(2));
        assertThat(on.result(new Request.AddToSet(K, blob("b")))).isEqualTo(number(2));
        assertThat(on.result(new Request.Get(K)))
                .isEqualTo(new Result.Elements(List.of(blob("a"), blob("b"))));
    }

    @Test
    void queueGivesTheOldestFirstAndStaysAQueueWhenEmpty() {
        assertThat(on.result(new Request.Dequeue(K))).isEqualTo(ABSENT);
        assertThat(on.result(new Request.Enqueue(K, blob("1")))).isEqualTo(number(1));
        assertThat(on.result(new Request.Enqueue(K, blob("2")))).isEqualTo(number(2));
        assertThat(on.result(new Request.Dequeue(K))).isEqualTo(found("1"));
        assertThat(on.result(new Request.Enqueue(K, blob("3")))).isEqualTo(number(2));
        assertThat(on.result(new Request.Dequeue(K))).isEqualTo(found("2"));
        assertThat(on.result(new Request.Dequeue(K))).isEqualTo(found("3"));
        assertThat(on.result(new Request.Dequeue(K))).isEqualTo(ABSENT);
        assertThat(on.result(new Request.Get(K))).isEqualTo(new Result.Elements(List.of()));
    }

    @Test
    void lockIsHeldByOneAndItsTokensOnlyGrow() {
        Blob ada = blob("ada");
        Blob bob = blob("bob");
        long first = ((Result.Number) on.result(new Request.Acquire(K, ada))).number();
        assertThat(on.result(new Request.Acquire(K, bob))).isEqualTo(COMPARE_FAILED);
        assertThat(on.result(new Request.Acquire(K, ada))).isEqualTo(number(first));
        assertThat(on.result(new Request.Get(K))).isEqualTo(new Result.Held(first, ada));
        assertThat(on.result(new Request.Release(K, bob, 0))).isEqualTo(COMPARE_FAILED);
        assertThat(on.result(new Request.Release(K, ada, first + 1))).isEqualTo(COMPARE_FAILED);
        assertThat(on.result(new Request.Release(K, ada, first))).isEqualTo(DONE);
        assertThat(on.result(new Request.Get(K))).isEqualTo(ABSENT);
        long second = ((Result.Number) on.result(new Request.Acquire(K, bob))).number();
        assertThat(second).isGreaterThan(first);
        assertThat(on.result(new Request.Release(K, ada, first))).isEqualTo(COMPARE_FAILED);
        // Not even deleting it makes a token come again.
        on.result(new Request.Delete(K));
        assertThat(((Result.Number) on.result(new Request.Acquire(K, ada))).number())
                .isGreaterThan(second);
    }

    @Test
    void versionCountsTheWritesSinceTheKeyWasAbsent() {
        assertThat(on.result(versioned())).isEqualTo(ABSENT);
        assertThat(on.result(new Request.PutIfVersion(K, 1, blob("a")))).isEqualTo(COMPARE_FAILED);
        assertThat(on.result(new Request.PutIfVersion(K, 0, blob("a")))).isEqualTo(number(1));
        assertThat(on.result(new Request.PutIfVersion(K, 0, blob("b")))).isEqualTo(COMPARE_FAILED);
        on.result(new Request.Put(K, blob("b")));
        on.result(new Request.Cas(K, blob("b"), blob("c")));
        assertThat(on.result(new Request.Cas(K, blob("b"), blob("d")))).isEqualTo(COMPARE_FAILED);
        assertThat(on.result(versioned())).isEqualTo(new Result.Versioned(3, blob("c")));
        assertThat(
                        on.result(
                                new Request.PutIfVersion(
                                        K, Request.PutIfVersion.ANY_VERSION, blob("e"))))
                .isEqualTo(number(4));
        on.result(new Request.Delete(K));
        assertThat(on.result(new Request.PutIfVersion(K, 0, blob("f")))).isEqualTo(number(1));
    }

    @Test
    void whatAKeyHoldsIsNeverTakenForAnotherKind() {
        List<Request.Write> firsts =
                List.of(
                        new Request.Put(K, blob("1")),
                        new Request.Append(K, blob("1")),
                        new Request.Increment(K, 1),
                        new Request.AddToSet(K, blob("1")),
                        new Request.Enqueue(K, blob("1")),
                        new Request.Acquire(K, blob("1")));
        List<Request.Write> others =
                Stream.concat(
                                firsts.stream(),
                                Stream.of(
                                        new Request.Cas(K, null, blob("1")),
                                        new Request.PutIfVersion(K, 0, blob("1")),
                                        new Request.Dequeue(K),
                                        new Request.Release(K, blob("1"), 0)))
                        .toList();
        List<String> kinds = List.of("plain value", "list", "counter", "set", "queue", "lock");
        for (int i = 0; i < firsts.size(); i++) {
            int allowed = 0;
            for (Request.Write other : others) {
                on.result(firsts.get(i));
                if (on.apply(other) instanceof Applied.Rejected(Refusal reason, String message)) {
                    assertThat(reason).isEqualTo(Refusal.WRONG_TYPE);
                    assertThat(message).startsWith("The key holds a " + kinds.get(i) + ", not a");
                } else {
                    allowed++;
                }
                on.result(new Request.Delete(K));
            }
            // put, cas and put-if-version; enqueue and dequeue; acquire and release.
            assertThat(allowed).as(kinds.get(i)).isEqualTo(List.of(3, 1, 1, 1, 2, 2).get(i));
        }
        on.result(new Request.Increment(K, 1));
        assertThat(on.rejection(Refusal.WRONG_TYPE, versioned()))
                .isEqualTo("The key holds a counter, not a plain value.");
    }

    @Test
    void collectionThatWouldNotFitIntoOneReplyRefusesTheElement() {
        Blob half = Blob.wrap(new byte[Limits.COLLECTION_BYTES_MAX / 2 - 4]);
        Blob least = Blob.EMPTY;
        for (var add :
                List.<java.util.function.Function<Blob, Request>>of(
                        element -> new Request.Append(K, element),
                        element -> new Request.Enqueue(K, element))) {
            assertThat(on.result(add.apply(half))).isEqualTo(number(1));
            assertThat(on.result(add.apply(half))).isEqualTo(number(2));
            assertThat(on.rejection(Refusal.TOO_LARGE, add.apply(least)))
                    .endsWith("which would have more than 1048576 bytes.");
            on.result(new Request.Delete(K));
        }
        assertThat(on.result(new Request.AddToSet(K, half))).isEqualTo(number(1));
        byte[] other = half.unsafeArray().clone();
        other[0] = 1;
        assertThat(on.result(new Request.AddToSet(K, Blob.wrap(other)))).isEqualTo(number(2));
        assertThat(on.result(new Request.AddToSet(K, half))).isEqualTo(number(2));
        assertThat(on.rejection(Refusal.TOO_LARGE, new Request.AddToSet(K, least)))
                .startsWith("The key holds a set");
    }

    @Test
    void listingGoesOnAfterItsLastKey() {
        for (String key : List.of("b/2", "a", "b/10", "b", "c", "b/1", "é")) {
            on.result(new Request.Put(blob(key), Blob.EMPTY));
        }
        assertThat(keys("", "", 1000)).containsExactly("a", "b", "b/1", "b/10", "b/2", "c", "é");
        assertThat(keys("b/", "", 1000)).containsExactly("b/1", "b/10", "b/2");
        assertThat(keys("b/", "b/10", 1000)).containsExactly("b/2");
        assertThat(keys("b/", "a", 1000)).containsExactly("b/1", "b/10", "b/2");
        assertThat(keys("b/", "b/", 2)).containsExactly("b/1", "b/10", "…");
        assertThat(keys("b/", "c", 1000)).isEmpty();
        assertThat(keys("b/2", "", 1)).containsExactly("b/2");
        assertThat(keys("x", "", 1)).isEmpty();
    }

    @Test
    void queuesWithTheSameElementsHaveTheSameHashWhateverWentThroughThem() {
        StoreFixture other = new StoreFixture();
        for (int i = 0; i < 1000; i++) {
            other.result(new Request.Enqueue(K, blob("gone" + i % 7)));
            if (i % 3 != 0) {
                other.result(new Request.Dequeue(K));
            }
        }
        while (!other.result(new Request.Get(K)).equals(new Result.Elements(List.of()))) {
            other.result(new Request.Dequeue(K));
        }
        for (String element : List.of("x", "y", "x")) {
            on.result(new Request.Enqueue(K, blob(element)));
            other.result(new Request.Enqueue(K, blob(element)));
        }
        assertThat(other.store.stateHash()).isEqualTo(on.store.stateHash());
        on.result(new Request.Dequeue(K));
        on.result(new Request.Enqueue(K, blob("x")));
        assertThat(other.store.stateHash()).isNotEqualTo(on.store.stateHash());
        on.result(new Request.Delete(K));
        assertThat(on.store.stateHash()).isZero();
    }

    private static Request versioned() {
        return new Request.GetVersioned(K, Consistency.LINEARIZABLE);
    }

    /** With an ellipsis at the end where there are more. */
    private List<String> keys(String prefix, String startAfter, int limit) {
        Result result =
                on.result(
                        new Request.ListKeys(
                                blob(prefix), blob(startAfter), limit, Consistency.LINEARIZABLE));
        Result.Keys keys = (Result.Keys) result;
        List<String> texts = new ArrayList<>(keys.keys().stream().map(Blob::text).toList());
        if (keys.more()) {
            texts.add("…");
        }
        return texts;
    }
}
