package raft.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import raft.client.Blob;
import raft.client.ClientCodec;
import raft.client.Refusal;
import raft.client.Reply;
import raft.client.Request;
import raft.client.Result;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

class KeyValueStoreTest {
    private static final Result DONE = new Result.Done();
    private static final Result ABSENT = new Result.Absent();
    private static final Result COMPARE_FAILED = new Result.CompareFailed();

    private final KeyValueStore store = new KeyValueStore();
    private long index;

    @Test
    void putThenGetThenDelete() {
        assertThat(apply(get("x"))).isEqualTo(ABSENT);
        assertThat(apply(put("x", "1"))).isEqualTo(DONE);
        assertThat(apply(get("x"))).isEqualTo(found("1"));
        assertThat(apply(put("x", "2"))).isEqualTo(DONE);
        assertThat(store.read(new Request.Get(Blob.ofText("x"))))
                .isEqualTo(new Applied.Answered(found("2")));
        assertThat(apply(delete("x"))).isEqualTo(DONE);
        assertThat(apply(delete("x"))).isEqualTo(ABSENT);
        assertThat(store.read(new Request.Get(Blob.ofText("x"))))
                .isEqualTo(new Applied.Answered(ABSENT));
    }

    @Test
    void casChangesOnlyWhatIsAsExpected() {
        assertThat(apply(cas("x", "0", "1"))).isEqualTo(COMPARE_FAILED);
        assertThat(apply(get("x"))).isEqualTo(ABSENT);
        assertThat(apply(cas("x", null, "1"))).isEqualTo(DONE);
        assertThat(apply(cas("x", null, "2"))).isEqualTo(COMPARE_FAILED);
        assertThat(apply(cas("x", "2", "3"))).isEqualTo(COMPARE_FAILED);
        assertThat(apply(get("x"))).isEqualTo(found("1"));
        assertThat(apply(cas("x", "1", "2"))).isEqualTo(DONE);
        assertThat(apply(get("x"))).isEqualTo(found("2"));
    }

    @Test
    void emptyValueIsNotAbsence() {
        apply(put("x", ""));
        assertThat(apply(cas("x", null, "1"))).isEqualTo(COMPARE_FAILED);
        assertThat(apply(get("x"))).isEqualTo(found(""));
        assertThat(store.keyCount()).isEqualTo(1);
    }

    @Test
    void bytesThatAreNoCommandChangeNothingAndAreRejectedInTheSameWayEverywhere() {
        apply(put("x", "1"));
        long before = store.stateHash();
        Random random = new Random(3);
        KeyValueStore other = new KeyValueStore();
        other.apply(1, ClientCodec.encodeCommand(put("x", "1")));
        for (int i = 0; i < 20_000; i++) {
            byte[] noise = new byte[random.nextInt(32)];
            random.nextBytes(noise);
            Applied applied = store.apply(++index, Blob.wrap(noise));
            assertThat(other.apply(index, Blob.wrap(noise.clone()))).isEqualTo(applied);
            if (applied instanceof Applied.Rejected) {
                assertThat(store.stateHash()).isEqualTo(before);
            }
            before = store.stateHash();
        }
        assertThat(store.apply(++index, Blob.EMPTY))
                .isEqualTo(
                        new Applied.Rejected(
                                Refusal.INVALID,
                                "The frame ends inside operation code: 1 bytes needed, 0 left."));
    }

    @Test
    void whatWasAppliedBecomesAReply() {
        assertThat(new Applied.Answered(DONE).reply(3, 17)).isEqualTo(new Reply.Ok(DONE, 3, 17));
        assertThat(new Applied.Rejected(Refusal.UNSUPPORTED, "No.").reply(3, 17))
                .isEqualTo(new Reply.Refused(Refusal.UNSUPPORTED, null, "No."));
    }

    @Test
    void applyingAnEntryAgainIsABug() {
        Blob command = ClientCodec.encodeCommand(put("x", "1"));
        store.apply(5, command);
        assertThatThrownBy(() -> store.apply(5, command))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("entry 5 applied after entry 5");
    }

    @Test
    void stateHashDependsOnTheContentAlone() {
        List<String> keys = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            keys.add("key" + i);
        }
        keys.forEach(key -> apply(put(key, "value of " + key)));
        KeyValueStore other = new KeyValueStore();
        Collections.shuffle(keys, new Random(4));
        long at = 0;
        other.apply(++at, ClientCodec.encodeCommand(put("gone", "1")));
        for (String key : keys) {
            other.apply(++at, ClientCodec.encodeCommand(put(key, "old")));
            other.apply(++at, ClientCodec.encodeCommand(delete(key)));
            other.apply(++at, ClientCodec.encodeCommand(put(key, "value of " + key)));
        }
        assertThat(other.stateHash()).isNotEqualTo(store.stateHash());
        other.apply(++at, ClientCodec.encodeCommand(delete("gone")));
        assertThat(other.stateHash()).isEqualTo(store.stateHash());
        keys.forEach(key -> apply(delete(key)));
        assertThat(store.stateHash()).isZero();
    }

    @Test
    void stateHashTellsKeysFromValuesAndLengthsApart() {
        List<Long> hashes = new ArrayList<>();
        for (List<String> pair :
                List.of(
                        List.of("ab", "c"),
                        List.of("a", "bc"),
                        List.of("c", "ab"),
                        List.of("ab", "c\0"),
                        List.of("ab", "\0c"),
                        List.of("12345678", "x"),
                        List.of("1234567", "8x"))) {
            KeyValueStore one = new KeyValueStore();
            one.apply(1, ClientCodec.encodeCommand(put(pair.getFirst(), pair.getLast())));
            hashes.add(one.stateHash());
        }
        assertThat(hashes).doesNotHaveDuplicates().doesNotContain(0L);
    }

    @Test
    void behavesLikeAMapOfStrings() {
        Map<String, String> map = new HashMap<>();
        Random random = new Random(5);
        for (int i = 0; i < 20_000; i++) {
            String key = "k" + random.nextInt(10);
            String value = "v" + random.nextInt(3);
            String expected = random.nextInt(3) == 0 ? null : "v" + random.nextInt(3);
            switch (random.nextInt(4)) {
                case 0 -> assertThat(apply(get(key))).isEqualTo(found(map.get(key)));
                case 1 -> {
                    assertThat(apply(put(key, value))).isEqualTo(DONE);
                    map.put(key, value);
                }
                case 2 -> {
                    boolean same = Objects.equals(map.get(key), expected);
                    assertThat(apply(cas(key, expected, value)))
                            .isEqualTo(same ? DONE : COMPARE_FAILED);
                    if (same) {
                        map.put(key, value);
                    }
                }
                default ->
                        assertThat(apply(delete(key)))
                                .isEqualTo(map.remove(key) == null ? ABSENT : DONE);
            }
            assertThat(store.keyCount()).isEqualTo(map.size());
        }
    }

    private Result apply(Request request) {
        Applied applied = store.apply(++index, ClientCodec.encodeCommand(request));
        assertThat(applied).isInstanceOf(Applied.Answered.class);
        return ((Applied.Answered) applied).result();
    }

    private static Result found(@Nullable String value) {
        return value == null ? ABSENT : new Result.Found(Blob.ofText(value));
    }

    private static Request get(String key) {
        return new Request.Get(Blob.ofText(key));
    }

    private static Request put(String key, String value) {
        return new Request.Put(Blob.ofText(key), Blob.ofText(value));
    }

    private static Request cas(String key, @Nullable String expected, String value) {
        return new Request.Cas(
                Blob.ofText(key),
                expected == null ? null : Blob.ofText(expected),
                Blob.ofText(value));
    }

    private static Request delete(String key) {
        return new Request.Delete(Blob.ofText(key));
    }
}
