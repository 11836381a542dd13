package raft.harness.nemesis;

import java.util.List;
import java.util.Random;

/**
 * A number that a kind of fault takes, with its range and what is drawn where a plan is made.
 *
 * @param name with its unit, as plans write it: "offsetMillis"
 * @param min least value that makes sense
 * @param max greatest
 * @param drawn what a generated plan chooses from, each as likely; the first is the default
 */
public record Parameter(String name, long min, long max, List<Long> drawn) {
    public Parameter {
        drawn = List.copyOf(drawn);
        if (drawn.isEmpty() || drawn.stream().anyMatch(value -> value < min || value > max)) {
            throw new IllegalArgumentException(name + " draws outside of its range: " + drawn);
        }
    }

    static Parameter of(String name, long min, long max, long... drawn) {
        return new Parameter(name, min, max, java.util.Arrays.stream(drawn).boxed().toList());
    }

    long usual() {
        return drawn.getFirst();
    }

    long draw(Random random) {
        return drawn.get(random.nextInt(drawn.size()));
    }
}
