package raft.harness.nightly;

import java.util.List;

/**
 * What a night does; kept in night.json. Two nights of equal options are the same night to a
 * resume.
 *
 * @param cells this shard's part of the matrix
 * @param budgetMillis for tests, from the first to the last begun
 * @param timeMillis that clients work in each test
 * @param rate operations started a second
 * @param seed of the night; 0 draws one from the time it begins
 * @param roundsMax how often each cell is run at most
 * @param canaries the planted bugs that must be found, at most one for each kind of cluster
 * @param scoreMillis for the detection score in the simulation, 0 for none
 * @param shard from 1 to {@code shards}
 */
public record NightOptions(
        List<Cell> cells,
        long budgetMillis,
        long timeMillis,
        double rate,
        long seed,
        int roundsMax,
        List<Canary> canaries,
        long scoreMillis,
        int shard,
        int shards) {
    /**
     * A planted bug, and where it is looked for.
     *
     * @param bug as in {@code ./raft test --plant}
     * @param cluster "docker" or "sim"
     */
    public record Canary(String bug, String cluster) {}

    public NightOptions {
        cells = List.copyOf(cells);
        canaries = List.copyOf(canaries);
    }
}
