package raft.harness.nightly;

import java.util.ArrayList;
import java.util.List;

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

    /** All combinations, in an order that depends on nothing but the lists. */
    public static List<Cell> matrix(
            List<String> workloads,
            List<String> faultSets,
            List<String> clusters,
            List<Integer> nodeCounts) {
        List<Cell> cells = new ArrayList<>();
        for (String workload : workloads) {
            for (String faults : faultSets) {
                for (String cluster : clusters) {
                    for (int nodes : nodeCounts) {
                        cells.add(new Cell(workload, faults, cluster, nodes));
                    }
                }
            }
        }
        return cells;
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
