package raft.harness.protocol;

import org.jspecify.annotations.Nullable;

import raft.client.Blob;
import raft.client.Request;
import raft.client.Result;
import raft.harness.cluster.Invocation;
import raft.harness.cluster.Outcomes.Ending;
import raft.harness.cluster.StoredText;
import raft.harness.history.Value;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;

/**
 * Operations of a history as requests of the client protocol, and results back as values.
 *
 * <p>Keys and values travel as {@link StoredText}.
 */
public final class Translation {
    /** The key of workloads that have only one object. */
    private static final Blob ONLY_KEY = Blob.ofText("register");

    private Translation() {}

    /** How an operation ended, and what it learnt; null where it learnt nothing. */
    public record Learnt(Ending ending, @Nullable Value value) {}

    /**
     * The request that carries out an operation.
     *
     * @throws IllegalArgumentException with one clause that says why there is none
     */
    public static Request request(Invocation invocation) {
        Blob key = key(invocation.key());
        return switch (invocation.f()) {
            case "read" -> new Request.Get(key);
            case "write" -> new Request.Put(key, present(invocation.value()));
            case "cas" -> cas(key, invocation.value());
            case "delete" -> new Request.Delete(key);
            default ->
                    throw new IllegalArgumentException(
                            "the client protocol has no '" + invocation.f() + "'");
        };
    }

    /** What a result means for a request; UNINTELLIGIBLE where it is no answer to it. */
    public static Learnt learnt(Request request, Result result) {
        return switch (request) {
            case Request.Get _ ->
                    switch (result) {
                        case Result.Found(Blob value) -> new Learnt(Ending.DONE, value(value));
                        case Result.Absent() -> new Learnt(Ending.DONE, Value.NIL);
                        default -> nonsense();
                    };
            case Request.Put(_, _) -> result instanceof Result.Done ? done() : nonsense();
            case Request.Cas cas ->
                    switch (result) {
                        case Result.Done() -> done();
                        case Result.CompareFailed() -> new Learnt(Ending.COMPARE_FAILED, null);
                        default -> nonsense();
                    };
            case Request.Delete(_) ->
                    switch (result) {
                        case Result.Done(), Result.Absent() -> done();
                        default -> nonsense();
                    };
            default -> nonsense();
        };
    }

    private static Learnt done() {
        return new Learnt(Ending.DONE, null);
    }

    private static Learnt nonsense() {
        return new Learnt(Ending.UNINTELLIGIBLE, null);
    }

    private static Request cas(Blob key, Value value) {
        if (value instanceof Value.Seq(List<Value> values) && values.size() == 2) {
            return new Request.Cas(key, blob(values.getFirst()), present(values.getLast()));
        }
        throw new IllegalArgumentException("a cas needs [expected, new], not " + value);
    }

    private static Blob key(Value key) {
        Blob blob = blob(key);
        return blob == null ? ONLY_KEY : blob;
    }

    private static Blob present(Value value) {
        Blob blob = blob(value);
        if (blob == null) {
            throw new IllegalArgumentException("nil cannot be written, only deleted");
        }
        return blob;
    }

    /** Null for absent. */
    private static @Nullable Blob blob(Value value) {
        return switch (value) {
            case Value.Nil() -> null;
            case Value.Int _, Value.Text _, Value.Bool _, Value.Seq _ ->
                    Blob.ofText(StoredText.of(value));
        };
    }

    private static Value value(Blob blob) {
        String text;
        try {
            text =
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(blob.unsafeArray()))
                            .toString();
        } catch (CharacterCodingException e) {
            // Nobody of ours wrote that. Shown as it is, so that two such values stay different.
            return Value.of("0x" + HexFormat.of().formatHex(blob.unsafeArray()));
        }
        return StoredText.value(text);
    }
}
