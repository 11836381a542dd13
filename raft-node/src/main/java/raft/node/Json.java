package raft.node;

import org.jspecify.annotations.Nullable;

/** Writes one JSON object; just what a status needs. */
final class Json {
    private final StringBuilder text = new StringBuilder(4096);
    private boolean first = true;

    Json object(String name) {
        name(name);
        return open('{');
    }

    Json array(String name) {
        name(name);
        return open('[');
    }

    Json open(char bracket) {
        if (bracket == '{' || bracket == '[') {
            separateAfterBracket();
            text.append(bracket);
            first = true;
        }
        return this;
    }

    Json close(char bracket) {
        text.append(bracket);
        first = false;
        return this;
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

    private void name(String name) {
        if (!first) {
            text.append(',');
        }
        first = false;
        quote(name);
        text.append(':');
    }

    private void separateAfterBracket() {
        int last = text.length() - 1;
        if (!first && last >= 0 && text.charAt(last) != ':') {
            text.append(',');
        }
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
