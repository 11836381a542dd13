package raft.shell.live;

/**
 * How many operations a workload has done, by how they ended.
 *
 * @param unequal compared and found something else, so that they changed nothing
 * @param failed certainly did not happen
 * @param unknown may have happened
 */
public record Tally(
        String workload, long started, long ok, long unequal, long failed, long unknown) {
    /** In a few words. */
    public String words() {
        return ok
                + " ok"
                + (unequal > 0 ? ", " + unequal + " not equal" : "")
                + (failed > 0 ? ", " + failed + " failed" : "")
                + (unknown > 0 ? ", " + unknown + " unknown" : "");
    }
}
