package raft.shell.view;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is known of a fault, so that a person can read it: lists of links in the form in which they
 * would be typed, lines that differ in names and numbers only told once.
 */
public final class EvidenceView {
    private static final Pattern LINKS = Pattern.compile("\\[?\\w+->\\w+(?:, \\w+->\\w+)+\\]?");
    private static final Pattern LINK = Pattern.compile("(\\w+)->(\\w+)");

    /** What makes two lines alike: everything but nodes, links and numbers. */
    private static final Pattern PARTICULARS =
            Pattern.compile("\\b(?:\\w+->\\w+|n\\d+|-?\\d+(?:\\.\\d+)?)\\b");

    private EvidenceView() {}

    /** At most one line of each sort, and how many there are like it. */
    public static List<String> brief(List<String> evidence) {
        Map<String, List<String>> alike = new LinkedHashMap<>();
        for (String line : evidence) {
            String text = links(line);
            String sort = PARTICULARS.matcher(text).replaceAll("·");
            alike.computeIfAbsent(sort, ignored -> new ArrayList<>()).add(text);
        }
        List<String> lines = new ArrayList<>();
        for (List<String> sort : alike.values()) {
            if (sort.size() <= 2) {
                lines.addAll(sort);
            } else {
                lines.add(sort.getFirst() + "; and " + (sort.size() - 1) + " like it");
            }
        }
        return lines;
    }

    /** A text in which each list of links is told by sides: "n3 <-> n1,n2" or "n1 -> n2,n4". */
    public static String links(String text) {
        return LINKS.matcher(text)
                .replaceAll(found -> Matcher.quoteReplacement(sides(found.group())));
    }

    private static String sides(String list) {
        TreeMap<String, TreeSet<String>> to = new TreeMap<>();
        Matcher link = LINK.matcher(list);
        while (link.find()) {
            to.computeIfAbsent(link.group(1), ignored -> new TreeSet<>()).add(link.group(2));
        }
        // Senders that reach the same receivers are one side.
        Map<TreeSet<String>, TreeSet<String>> bySide = new LinkedHashMap<>();
        to.forEach(
                (from, receivers) ->
                        bySide.computeIfAbsent(receivers, ignored -> new TreeSet<>()).add(from));
        TreeSet<String> all = new TreeSet<>(to.keySet());
        to.values().forEach(all::addAll);
        boolean everyLink =
                all.size() > 2
                        && to.size() == all.size()
                        && to.values().stream().allMatch(side -> side.size() == all.size() - 1);
        if (everyLink) {
            return "every link among " + String.join(",", all);
        }
        List<String> words = new ArrayList<>();
        while (!bySide.isEmpty()) {
            var first = bySide.entrySet().iterator().next();
            TreeSet<String> receivers = first.getKey();
            TreeSet<String> senders = first.getValue();
            bySide.remove(receivers);
            boolean bothWays = receivers.equals(bySide.get(senders));
            if (bothWays) {
                bySide.remove(senders);
            }
            boolean turned = bothWays && receivers.size() < senders.size();
            words.add(
                    String.join(",", turned ? receivers : senders)
                            + (bothWays ? " <-> " : " -> ")
                            + String.join(",", turned ? senders : receivers));
        }
        return String.join("; ", words);
    }
}
