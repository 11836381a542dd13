package raft.harness.nemesis;

import org.jspecify.annotations.Nullable;

import java.util.List;

/**
 * What is known of the cluster when a fault's time has come.
 *
 * @param leader who leads, null where nobody is known to
 * @param voters of the committed configuration, empty where that is not known; then all members are
 *     taken for voters
 */
public record View(@Nullable String leader, List<String> voters) {
    public static final View UNKNOWN = new View(null, List.of());

    public View {
        voters = List.copyOf(voters);
    }

    public static View ledBy(@Nullable String leader) {
        return new View(leader, List.of());
    }
}
