package raft.node;

import org.jspecify.annotations.Nullable;

/** Writes one JSON object; just what a status needs. */
final class Json {
    private final StringBuilder text;
    private boolean first = true;

    Json() {
        this(4096);
    }

    /**
     * @param chars how many are expected
     */
    Json(int chars) {
        this.text = new StringBuilder(chars);
    }

    /** Starts the document, or the next object in an array. */
    Json beginObject() {
        separate();
        return open('{');
    }

    Json beginObject(String name) {
        name(name);
        return open('{');
    }

    Json endObject() {
        return close('}');
    }

    Json beginArray(String name) {
        name(name);
        return open('[');
    }

    Json endArray() {
        return close(']');
    }

    Json field(String name, long value) {
        name(name);
        text.append(value);
        return this;
    }

    Json field(String name, boolean value) {
        name(name);
        text.append(value);
        return this;
    }

    Json field(String name, @Nullable String value) {
        name(name);
        if (value == null) {
            text.append("null");
        } else {
            quote(value);
        }
        return this;
    }

    @Override
    public String toString() {
        return text.toString();
    }

    private Json open(char bracket) {
        text.append(bracket);
        first = true;
        return this;
    }

    private Json close(char bracket) {
        text.append(bracket);
        first = false;
        return this;
    }

    private void name(String name) {
        separate();
        quote(name);
        text.append(':');
    }

    private void separate() {
        if (!first) {
            text.append(',');
        }
        first = false;
    }

    private void quote(String value) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < 0x20) {
                text.append("\\u00").append(Character.forDigit(c >> 4, 16));
                text.append(Character.forDigit(c & 15, 16));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }
}
