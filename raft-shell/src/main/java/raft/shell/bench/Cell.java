package raft.shell.bench;

import org.HdrHistogram.Histogram;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** One store's rounds of one kind of operation at one number of clients. */
final class Cell {
    private final int clientCount;
    private final List<Load.Result> rounds = new ArrayList<>();

    Cell(int clientCount) {
        this.clientCount = clientCount;
    }

    void add(Load.Result round) {
        rounds.add(round);
    }

    double perSecond() {
        return median(Load.Result::perSecond);
    }

    /** Of latencies corrected for coordinated omission; the median of the rounds. */
    double micros(double percentile) {
        return median(round -> percentile(round.corrected(clientCount), percentile));
    }

    /** Of latencies as they were measured. */
    double rawMicros(double percentile) {
        return median(round -> percentile(round.latencies(), percentile));
    }

    private static double percentile(Histogram latencies, double percentile) {
        return latencies.getValueAtPercentile(percentile) / 1000.0;
    }

    private double median(ToDoubleFunction<Load.Result> figure) {
        double[] values = rounds.stream().mapToDouble(figure).toArray();
        Arrays.sort(values);
        return values[values.length / 2];
    }

    /** For the JSON object at the end. */
    Map<String, Object> figures() {
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("perSecond", Math.round(perSecond()));
        figures.put(
                "perSecondRounds",
                rounds.stream().map(round -> Math.round(round.perSecond())).toList());
        figures.put(
                "p99MicrosRounds",
                rounds.stream()
                        .map(round -> Math.round(percentile(round.corrected(clientCount), 99)))
                        .toList());
        figures.put("p50Micros", Math.round(micros(50)));
        figures.put("p99Micros", Math.round(micros(99)));
        figures.put("p999Micros", Math.round(micros(99.9)));
        figures.put("uncorrectedP99Micros", Math.round(rawMicros(99)));
        return figures;
    }
}
