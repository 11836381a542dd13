package raft.harness.system;

import java.util.List;
import java.util.Map;

/**
 * How a node's process is started.
 *
 * @param command program and arguments; empty for what the image says itself
 * @param environment variables
 */
public record Start(List<String> command, Map<String, String> environment) {
    public Start {
        command = List.copyOf(command);
        environment = Map.copyOf(environment);
    }
}
