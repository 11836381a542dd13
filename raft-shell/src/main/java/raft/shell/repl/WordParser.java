package raft.shell.repl;

import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EOFError;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;

import java.util.ArrayList;
import java.util.List;

/** {@link LineWords} as the line editor wants them. */
final class WordParser implements Parser {
    @Override
    public ParsedLine parse(String line, int cursor, ParseContext context) {
        if (context == ParseContext.ACCEPT_LINE && LineWords.isOpen(line)) {
            throw new EOFError(-1, cursor, "a quote is not closed", "quote");
        }
        List<String> words = new ArrayList<>();
        int index = -1;
        int inWord = 0;
        String atCursor = "";
        for (LineWords.Word word : LineWords.words(line, false)) {
            if (index < 0 && cursor < word.from()) {
                index = words.size();
                words.add("");
            } else if (index < 0 && cursor <= word.to() && !word.text().equals(";")) {
                index = words.size();
                inWord = Math.min(cursor - word.from(), word.text().length());
                atCursor = word.text();
            }
            words.add(word.text());
        }
        if (index < 0) {
            index = words.size();
            words.add("");
        }
        return new Parsed(line, cursor, words, index, inWord, atCursor);
    }

    private record Parsed(
            String line, int cursor, List<String> words, int wordIndex, int wordCursor, String word)
            implements CompletingParsedLine {
        @Override
        public CharSequence escape(CharSequence candidate, boolean complete) {
            String text = candidate.toString();
            return text.matches(".*[\\s;'\"].*") ? "'" + text + "'" : text;
        }

        @Override
        public int rawWordCursor() {
            return wordCursor;
        }

        @Override
        public int rawWordLength() {
            return word.length();
        }
    }
}
