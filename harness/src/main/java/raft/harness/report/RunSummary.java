package raft.harness.report;

import com.fasterxml.jackson.annotation.JsonInclude;

import org.jspecify.annotations.Nullable;

import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One run in a list of runs: what its files say, "" and -1 where they do not.
 *
 * @param name its folder below the folder of all runs, "register/20261124T021912-5"
 * @param stamp sizes and times of its files, by which a kept summary is known to be fresh
 * @param verdict {@link Outcome#label}, or "unfinished" where there are no results, or "unreadable"
 * @param started "2026-11-24 02:19:12", UTC
 * @param cluster "docker" or "sim"
 * @param operations that clients began, -1 where unknown
 * @param seconds that clients worked
 * @param bytes of the history, -1 where there is none
 * @param longestUnavailableMillis longest time between two successes
 * @param succeeded operations that ended ok, -1 where unknown
 * @param why on anything but valid, the first sentence that says why
 * @param repeat the command that repeats the run
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RunSummary(
        String name,
        String stamp,
        String verdict,
        String started,
        String cluster,
        int nodes,
        String workload,
        List<String> faults,
        @Nullable String plantedBug,
        @Nullable String image,
        long seed,
        long operations,
        double seconds,
        long bytes,
        long longestUnavailableMillis,
        long succeeded,
        String why,
        String repeat) {

    private static final JsonFactory FACTORY = new JsonFactory();

    /** There are no results: still running, or the harness was killed. */
    public static final String UNFINISHED = "unfinished";

    /** The files that there are say nothing. */
    public static final String UNREADABLE = "unreadable";

    public RunSummary {
        faults = List.copyOf(faults);
    }

    /**
     * What Jackson's databind made of a summary. Read token by token, because databind alone would
     * take longer to begin than all the rest of a list of runs; what is not known is left out.
     *
     * @throws JacksonException when it is no summary
     */
    static RunSummary parse(String json) {
        Map<String, String> texts = new HashMap<>();
        List<String> faults = new ArrayList<>();
        try (JsonParser in = FACTORY.createParser(ObjectReadContext.empty(), json)) {
            if (in.nextToken() != JsonToken.START_OBJECT) {
                throw new StreamReadException(in, "a summary is an object");
            }
            for (String name = in.nextName(); name != null; name = in.nextName()) {
                JsonToken token = in.nextToken();
                if (token.isScalarValue()) {
                    texts.put(name, in.getString());
                } else if (name.equals("faults")) {
                    while (in.nextToken() != JsonToken.END_ARRAY) {
                        faults.add(in.getString());
                    }
                } else {
                    in.skipChildren();
                }
            }
            return new RunSummary(
                    text(in, texts, "name"),
                    text(in, texts, "stamp"),
                    text(in, texts, "verdict"),
                    text(in, texts, "started"),
                    text(in, texts, "cluster"),
                    (int) number(in, texts, "nodes"),
                    text(in, texts, "workload"),
                    faults,
                    texts.get("plantedBug"),
                    texts.get("image"),
                    number(in, texts, "seed"),
                    number(in, texts, "operations"),
                    seconds(in, texts),
                    number(in, texts, "bytes"),
                    number(in, texts, "longestUnavailableMillis"),
                    number(in, texts, "succeeded"),
                    text(in, texts, "why"),
                    text(in, texts, "repeat"));
        }
    }

    private static String text(JsonParser in, Map<String, String> texts, String name) {
        String text = texts.get(name);
        if (text == null) {
            throw new StreamReadException(in, "a summary without " + name);
        }
        return text;
    }

    private static double seconds(JsonParser in, Map<String, String> texts) {
        try {
            return Double.parseDouble(text(in, texts, "seconds"));
        } catch (NumberFormatException e) {
            throw new StreamReadException(in, "seconds is no number", e);
        }
    }

    private static long number(JsonParser in, Map<String, String> texts, String name) {
        try {
            return Long.parseLong(text(in, texts, name));
        } catch (NumberFormatException e) {
            throw new StreamReadException(in, name + " is no number", e);
        }
    }

    /** The faults as a column of a table shows them. */
    public String faultWords() {
        return faults.isEmpty() ? "none" : String.join(",", faults);
    }

    /** Operations that succeeded in each second of work, 0 where unknown. */
    public double throughput() {
        return seconds > 0 && succeeded >= 0 ? succeeded / seconds : 0;
    }
}
