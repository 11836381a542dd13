package raft.harness.protocol;

import org.jspecify.annotations.Nullable;

import raft.client.Blob;
import raft.client.Consistency;
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

    /** Keys that a listing tells where it is not said how many. */
    private static final long KEY_COUNT = 100;

    private Translation() {}

    /** How an operation ended, and what it learnt; null where it learnt nothing. */
    public record Learnt(Ending ending, @Nullable Value value) {}

    /**
     * The request that carries out an operation. Reads, writes and compare-and-sets whose value is
     * a pair [version, …] are those of a versioned register.
     *
     * @throws IllegalArgumentException with one clause that says why there is none
     */
    public static Request request(Invocation invocation) {
        Blob key = key(invocation.key());
        Value value = invocation.value();
        return switch (invocation.f()) {
            case "read" ->
                    value instanceof Value.Seq
                            ? new Request.GetVersioned(key, Consistency.LINEARIZABLE)
                            : new Request.Get(key);
            case "lease-read" -> new Request.Get(key, Consistency.LEASE);
            case "stale-read" -> new Request.Get(key, Consistency.STALE);
            case "keys" ->
                    new Request.ListKeys(
                            invocation.key() instanceof Value.Nil ? Blob.ofText("") : key,
                            Blob.ofText(""),
                            Math.toIntExact(amount(value, KEY_COUNT)),
                            Consistency.LINEARIZABLE);
            case "write" -> write(key, value);
            case "cas" -> cas(key, value);
            case "delete" -> new Request.Delete(key);
            case "append" -> new Request.Append(key, present(value));
            case "increment" -> new Request.Increment(key, amount(value, 1));
            case "add" -> new Request.AddToSet(key, present(value));
            case "enqueue" -> new Request.Enqueue(key, present(value));
            case "dequeue" -> new Request.Dequeue(key);
            case "acquire" -> new Request.Acquire(key, owner(invocation.process()));
            case "release" ->
                    new Request.Release(
                            key,
                            owner(invocation.process()),
                            value instanceof Value.Int(long token) ? token : 0);
            default ->
                    throw new IllegalArgumentException(
                            "the client protocol has no '" + invocation.f() + "'");
        };
    }

    /** What a result means for a request; UNINTELLIGIBLE where it is no answer to it. */
    public static Learnt learnt(Request request, Result result) {
        return switch (request) {
            case Request.InSession inSession -> learnt(inSession.write(), result);
            case Request.Get _ ->
                    switch (result) {
                        case Result.Found(Blob value) -> new Learnt(Ending.DONE, value(value));
                        case Result.Number(long number) ->
                                new Learnt(Ending.DONE, Value.of(number));
                        case Result.Elements(List<Blob> elements) ->
                                new Learnt(Ending.DONE, values(elements));
                        case Result.Held(long token, Blob owner) ->
                                new Learnt(Ending.DONE, Value.of(Value.of(token), value(owner)));
                        case Result.Absent() -> new Learnt(Ending.DONE, Value.NIL);
                        default -> nonsense();
                    };
            case Request.ListKeys _ ->
                    result instanceof Result.Keys(List<Blob> keys, _)
                            ? new Learnt(Ending.DONE, values(keys))
                            : nonsense();
            case Request.GetVersioned _ ->
                    switch (result) {
                        case Result.Versioned(long version, Blob value) ->
                                new Learnt(Ending.DONE, Value.of(Value.of(version), value(value)));
                        case Result.Absent() ->
                                new Learnt(Ending.DONE, Value.of(Value.of(0), Value.NIL));
                        default -> nonsense();
                    };
            case Request.Put _ -> result instanceof Result.Done ? done() : nonsense();
            case Request.Cas _, Request.Release _ ->
                    switch (result) {
                        case Result.Done() -> done();
                        case Result.CompareFailed() -> new Learnt(Ending.COMPARE_FAILED, null);
                        default -> nonsense();
                    };
            case Request.PutIfVersion put ->
                    switch (result) {
                        case Result.Number(long version) ->
                                put.version() == Request.PutIfVersion.ANY_VERSION
                                        ? new Learnt(
                                                Ending.DONE,
                                                Value.of(Value.of(version), value(put.value())))
                                        : done();
                        case Result.CompareFailed() -> new Learnt(Ending.COMPARE_FAILED, null);
                        default -> nonsense();
                    };
            case Request.Delete _ ->
                    switch (result) {
                        case Result.Done(), Result.Absent() -> done();
                        default -> nonsense();
                    };
            // How many there are now would be one more thing to check, and no model asks for it.
            case Request.Append _, Request.AddToSet _, Request.Enqueue _ ->
                    result instanceof Result.Number ? done() : nonsense();
            case Request.Increment increment ->
                    result instanceof Result.Number(long total)
                            ? new Learnt(
                                    Ending.DONE,
                                    Value.of(Value.of(increment.delta()), Value.of(total)))
                            : nonsense();
            case Request.Dequeue _ ->
                    switch (result) {
                        case Result.Found(Blob element) -> new Learnt(Ending.DONE, value(element));
                        case Result.Absent() -> new Learnt(Ending.DONE, Value.NIL);
                        default -> nonsense();
                    };
            case Request.Acquire _ ->
                    switch (result) {
                        case Result.Number(long token) -> new Learnt(Ending.DONE, Value.of(token));
                        case Result.CompareFailed() -> new Learnt(Ending.COMPARE_FAILED, null);
                        default -> nonsense();
                    };
            case Request.Session _, Request.Admin _ -> nonsense();
        };
    }

    private static Learnt done() {
        return new Learnt(Ending.DONE, null);
    }

    private static Learnt nonsense() {
        return new Learnt(Ending.UNINTELLIGIBLE, null);
    }

    /** Of a versioned register where the value is a pair [nil, value]. */
    private static Request write(Blob key, Value value) {
        return value instanceof Value.Seq(List<Value> values) && values.size() == 2
                ? new Request.PutIfVersion(
                        key, Request.PutIfVersion.ANY_VERSION, present(values.getLast()))
                : new Request.Put(key, present(value));
    }

    private static Request cas(Blob key, Value value) {
        if (value instanceof Value.Seq(List<Value> values) && values.size() == 2) {
            if (values.getFirst() instanceof Value.Int(long version)
                    && values.getLast() instanceof Value.Seq(List<Value> change)
                    && change.size() == 2) {
                return new Request.PutIfVersion(key, version, present(change.getLast()));
            }
            return new Request.Cas(key, blob(values.getFirst()), present(values.getLast()));
        }
        throw new IllegalArgumentException("a cas needs [expected, new], not " + value);
    }

    private static long amount(Value value, long usual) {
        return switch (value) {
            case Value.Int(long number) -> number;
            case Value.Nil() -> usual;
            default -> throw new IllegalArgumentException("a number is needed, not " + value);
        };
    }

    /** A process is a client, and a new one has a new number. */
    private static Blob owner(long process) {
        return Blob.ofText("p" + process);
    }

    private static Value values(List<Blob> elements) {
        return new Value.Seq(elements.stream().map(Translation::value).toList());
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
