package raft.harness.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import raft.client.Blob;
import raft.client.Consistency;
import raft.client.Request;
import raft.client.Result;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.Outcomes.Ending;
import raft.harness.history.Value;
import raft.harness.protocol.Translation.Learnt;

import java.util.List;

/** Every operation of every workload, there and back. */
class TranslationTest {
    private static final Value KEY = Value.of(7);
    private static final Blob K = Blob.ofText("7");
    private static final Blob FIVE = Blob.ofText("5");
    private static final Learnt DONE = new Learnt(Ending.DONE, null);
    private static final Learnt COMPARE_FAILED = new Learnt(Ending.COMPARE_FAILED, null);
    private static final Learnt NONSENSE = new Learnt(Ending.UNINTELLIGIBLE, null);

    @Test
    void readTellsWhateverTheKeyHolds() {
        Request read = request("read", Value.NIL);
        assertThat(read).isEqualTo(new Request.Get(K));
        assertLearnt(read, new Result.Found(FIVE), Value.of(5));
        assertLearnt(read, new Result.Absent(), Value.NIL);
        assertLearnt(read, new Result.Number(-3), Value.of(-3));
        assertLearnt(
                read,
                new Result.Elements(List.of(FIVE, Blob.ofText("a"))),
                Value.of(Value.of(5), Value.of("a")));
        assertThat(Translation.learnt(read, new Result.Done())).isEqualTo(NONSENSE);
    }

    @Test
    void collectionsAndCounters() {
        Request append = request("append", Value.of(5));
        assertThat(append).isEqualTo(new Request.Append(K, FIVE));
        assertThat(Translation.learnt(append, new Result.Number(1))).isEqualTo(DONE);
        assertThat(Translation.learnt(append, new Result.Done())).isEqualTo(NONSENSE);
        assertThat(request("add", Value.of(5))).isEqualTo(new Request.AddToSet(K, FIVE));
        assertThat(request("enqueue", Value.of(5))).isEqualTo(new Request.Enqueue(K, FIVE));
        Request dequeue = request("dequeue", Value.NIL);
        assertThat(dequeue).isEqualTo(new Request.Dequeue(K));
        assertLearnt(dequeue, new Result.Found(FIVE), Value.of(5));
        assertLearnt(dequeue, new Result.Absent(), Value.NIL);
        Request increment = request("increment", Value.of(5));
        assertThat(increment).isEqualTo(new Request.Increment(K, 5));
        assertLearnt(increment, new Result.Number(12), Value.of(Value.of(5), Value.of(12)));
        assertThatThrownBy(() -> request("increment", Value.of("x")))
                .hasMessage("a number is needed, not \"x\"");
    }

    @Test
    void lockBelongsToTheProcess() {
        Request acquire = request("acquire", Value.NIL);
        assertThat(acquire).isEqualTo(new Request.Acquire(K, Blob.ofText("p3")));
        assertLearnt(acquire, new Result.Number(99), Value.of(99));
        assertThat(Translation.learnt(acquire, new Result.CompareFailed()))
                .isEqualTo(COMPARE_FAILED);
        Request release = request("release", Value.of(99));
        assertThat(release).isEqualTo(new Request.Release(K, Blob.ofText("p3"), 99));
        assertThat(Translation.learnt(release, new Result.Done())).isEqualTo(DONE);
        assertThat(Translation.learnt(release, new Result.CompareFailed()))
                .isEqualTo(COMPARE_FAILED);
    }

    @Test
    void pairsAreOfAVersionedRegister() {
        Request read = request("read", Value.of(Value.NIL, Value.NIL));
        assertThat(read).isEqualTo(new Request.GetVersioned(K, Consistency.LINEARIZABLE));
        assertLearnt(read, new Result.Versioned(4, FIVE), Value.of(Value.of(4), Value.of(5)));
        assertLearnt(read, new Result.Absent(), Value.of(Value.of(0), Value.NIL));
        Request write = request("write", Value.of(Value.NIL, Value.of(5)));
        assertThat(write)
                .isEqualTo(new Request.PutIfVersion(K, Request.PutIfVersion.ANY_VERSION, FIVE));
        assertLearnt(write, new Result.Number(3), Value.of(Value.of(3), Value.of(5)));
        Request cas = request("cas", Value.of(Value.of(3), Value.of(Value.of(5), Value.of(6))));
        assertThat(cas).isEqualTo(new Request.PutIfVersion(K, 3, Blob.ofText("6")));
        assertThat(Translation.learnt(cas, new Result.Number(4))).isEqualTo(DONE);
        assertThat(Translation.learnt(cas, new Result.CompareFailed())).isEqualTo(COMPARE_FAILED);
        // A pair of plain values is a cas of an ordinary register.
        assertThat(request("cas", Value.of(Value.of(3), Value.of(5))))
                .isEqualTo(new Request.Cas(K, Blob.ofText("3"), FIVE));
    }

    @Test
    void whatThereIsNoRequestForIsSaid() {
        assertThatThrownBy(() -> request("transfer", Value.NIL))
                .hasMessage("the client protocol has no 'transfer'");
        assertThatThrownBy(() -> request("append", Value.NIL))
                .hasMessage("nil cannot be written, only deleted");
    }

    private static Request request(String f, Value value) {
        return Translation.request(new Invocation(3, "n1", f, KEY, value, 1));
    }

    private static void assertLearnt(Request request, Result result, Value value) {
        assertThat(Translation.learnt(request, result)).isEqualTo(new Learnt(Ending.DONE, value));
    }
}
