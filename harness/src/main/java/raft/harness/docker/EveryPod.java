package raft.harness.docker;

import java.io.IOException;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;

/** Does the same in several pods at once and waits for all. */
final class EveryPod {
    private final SortedMap<String, Pod> pods = new TreeMap<>();
    private final ExecutorService workers;

    EveryPod(Iterable<Pod> pods, ExecutorService workers) {
        pods.forEach(pod -> this.pods.put(pod.node(), pod));
        this.workers = workers;
    }

    interface Work {
        void on(Pod pod) throws IOException;
    }

    /** Node to what went wrong there; empty when all went well. */
    SortedMap<String, String> failures(Work work) {
        SortedMap<String, CompletableFuture<String>> running = new TreeMap<>();
        pods.forEach(
                (node, pod) ->
                        running.put(
                                node,
                                CompletableFuture.supplyAsync(
                                        () -> failureOf(work, pod), workers)));
        SortedMap<String, String> failures = new TreeMap<>();
        running.forEach(
                (node, result) -> {
                    String failure = result.join();
                    if (!failure.isEmpty()) {
                        failures.put(node, node + ": " + failure);
                    }
                });
        return failures;
    }

    /**
     * @throws IOException where it went wrong in a pod; says all that did
     */
    void check(Work work) throws IOException {
        Map<String, String> failures = failures(work);
        if (!failures.isEmpty()) {
            throw new IOException(String.join("; ", failures.values()));
        }
    }

    private static String failureOf(Work work, Pod pod) {
        try {
            work.on(pod);
            return "";
        } catch (IOException | RuntimeException e) {
            return Engine.rootMessage(e);
        }
    }
}
