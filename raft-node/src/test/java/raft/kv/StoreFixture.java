package raft.kv;

import static org.assertj.core.api.Assertions.assertThat;

import raft.client.Blob;
import raft.client.ClientCodec;
import raft.client.Refusal;
import raft.client.Request;
import raft.client.Result;

/** A store that is told commands one after the other, as a log would. */
final class StoreFixture {
    static final Result DONE = new Result.Done();
    static final Result ABSENT = new Result.Absent();
    static final Result COMPARE_FAILED = new Result.CompareFailed();

    KeyValueStore store = new KeyValueStore();
    long index;

    Applied apply(Request request) {
        return store.apply(++index, ClientCodec.encodeCommand(request));
    }

    Result result(Request request) {
        Applied applied = apply(request);
        assertThat(applied).isInstanceOf(Applied.Answered.class);
        return ((Applied.Answered) applied).result();
    }

    /** The words of a rejection for this reason, which must have changed nothing. */
    String rejection(Refusal reason, Request request) {
        long before = store.stateHash();
        Applied applied = apply(request);
        assertThat(applied).isInstanceOf(Applied.Rejected.class);
        Applied.Rejected rejected = (Applied.Rejected) applied;
        assertThat(rejected.reason()).isEqualTo(reason);
        assertThat(store.stateHash()).isEqualTo(before);
        return rejected.message();
    }

    static Blob blob(String text) {
        return Blob.ofText(text);
    }

    static Result number(long number) {
        return new Result.Number(number);
    }

    static Result found(String value) {
        return new Result.Found(blob(value));
    }
}
