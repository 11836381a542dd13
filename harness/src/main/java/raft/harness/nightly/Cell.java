package raft.harness.nightly;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One cell of the matrix.
 *
 * @param faults families joined by "+", or "none", or "all"
 * @param cluster "docker" or "sim"
 */
public record Cell(String workload, String faults, String cluster, int nodes) {
    /** "register, partition+kill, docker, 5 nodes": unique, and what a person reads. */
    public String id() {
        return workload + ", " + faults + ", " + cluster + ", " + nodes + " nodes";
    }

    /**
     * All combinations, in an order that depends on nothing but the lists. However early a night
     * ends, what has run is spread over all of them: the next cell is always one whose pairs of
     * values (this workload with those faults, these faults on that cluster, …) ran least so far.
     */
    public static List<Cell> matrix(
            List<String> workloads,
            List<String> faultSets,
            List<String> clusters,
            List<Integer> nodeCounts) {
        List<Cell> left = new ArrayList<>();
        for (String workload : workloads) {
            for (String faults : faultSets) {
                for (String cluster : clusters) {
                    for (int nodes : nodeCounts) {
                        left.add(new Cell(workload, faults, cluster, nodes));
                    }
                }
            }
        }
        List<Cell> ordered = new ArrayList<>();
        Map<List<String>, Integer> ran = new HashMap<>();
        while (!left.isEmpty()) {
            Cell next = left.getFirst();
            int least = next.ran(ran);
            for (Cell cell : left) {
                if (cell.ran(ran) < least) {
                    next = cell;
                    least = cell.ran(ran);
                }
            }
            left.remove(next);
            ordered.add(next);
            next.pairs().forEach(pair -> ran.merge(pair, 1, Integer::sum));
        }
        return ordered;
    }

    private int ran(Map<List<String>, Integer> ran) {
        return pairs().stream().mapToInt(pair -> ran.getOrDefault(pair, 0)).sum();
    }

    /** Its values by name, alone and two by two. */
    private List<List<String>> pairs() {
        List<String> values =
                List.of(
                        "workload " + workload,
                        "faults " + faults,
                        "cluster " + cluster,
                        "nodes " + nodes);
        List<List<String>> pairs = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            pairs.add(List.of(values.get(i)));
            for (int j = i + 1; j < values.size(); j++) {
                pairs.add(List.of(values.get(i), values.get(j)));
            }
        }
        return pairs;
    }

    /**
     * The part of a matrix that one of several machines runs; together they run each cell once.
     *
     * @param number from 1 to {@code of}
     */
    public static List<Cell> shard(List<Cell> cells, int number, int of) {
        List<Cell> mine = new ArrayList<>();
        for (int i = 0; i < cells.size(); i++) {
            if (i % of == number - 1) {
                mine.add(cells.get(i));
            }
        }
        return mine;
    }

    /** A seed of its own for each cell and round, the same on every machine and after a resume. */
    public long seed(long nightSeed, int round) {
        long mixed = nightSeed * 0x9e3779b97f4a7c15L + id().hashCode() * 31L + round;
        mixed = (mixed ^ (mixed >>> 30)) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
        return Math.floorMod(mixed ^ (mixed >>> 31), 1_000_000_000L) + 1;
    }
}
