package raft.client;

import org.jspecify.annotations.Nullable;

/** Requests in the words in which a person would type them; for logs that people look at. */
public final class Wording {
    private Wording() {}

    public static String of(Request request) {
        return switch (request) {
            case Request.Put(Blob key, Blob value) -> words("put", key, value);
            case Request.PutIfVersion put ->
                    words("put", put.key(), put.value())
                            + (put.version() == Request.PutIfVersion.ANY_VERSION
                                    ? ""
                                    : " at version " + put.version());
            case Request.Cas cas ->
                    words("cas", cas.key(), cas.expected()) + " " + text(cas.value());
            case Request.Delete(Blob key) -> words("delete", key);
            case Request.Append(Blob key, Blob element) -> words("append", key, element);
            case Request.Increment(Blob key, long delta) -> words("incr", key) + " " + delta;
            case Request.AddToSet(Blob key, Blob element) -> words("add", key, element);
            case Request.Enqueue(Blob key, Blob element) -> words("enqueue", key, element);
            case Request.Dequeue(Blob key) -> words("dequeue", key);
            case Request.Acquire(Blob key, Blob owner) -> words("acquire", key, owner);
            case Request.Release release -> words("release", release.key(), release.owner());
            case Request.InSession inSession ->
                    of(inSession.write()) + " (session " + inSession.session() + ")";
            case Request.Session.Register() -> "register a session";
            case Request.Session.KeepAlive(long session) -> "keep session " + session;
            case Request.Session.Close(long session) -> "close session " + session;
            case Request.Get(Blob key, _) -> words("get", key);
            case Request.GetVersioned(Blob key, _) -> words("get", key);
            case Request.ListKeys list -> words("keys", list.prefix());
            case Request.Admin admin -> admin.toString();
        };
    }

    private static String words(String verb, Blob key) {
        return verb + " " + text(key);
    }

    private static String words(String verb, Blob key, @Nullable Blob value) {
        return words(verb, key) + " " + (value == null ? "nil" : text(value));
    }

    /** Text as it is; what is no text in hexadecimal. */
    private static String text(Blob blob) {
        String text = blob.text();
        boolean printable =
                text.codePoints().noneMatch(c -> Character.isISOControl(c) || c == 0xFFFD);
        return printable ? text : blob.toString();
    }
}
