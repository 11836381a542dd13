package raft.harness.docker;

/** A version of the engine's API, 1.41 say; ordered by number, not by text (1.9 is before 1.41). */
record ApiVersion(int major, int minor) implements Comparable<ApiVersion> {
    /** What this code is written and tested against. */
    static final ApiVersion PREFERRED = new ApiVersion(1, 44);

    /** Engine 20.10: the first whose containers have all the options used here. */
    static final ApiVersion OLDEST_USABLE = new ApiVersion(1, 41);

    /**
     * Reads "1.41".
     *
     * @throws IllegalArgumentException when it is not two numbers
     */
    static ApiVersion parse(String text) {
        String[] parts = text.split("\\.", -1);
        if (parts.length != 2) {
            throw new IllegalArgumentException("not an API version: " + text);
        }
        return new ApiVersion(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
    }

    /** The version in {@code [min, max]} that is nearest to this one. */
    ApiVersion clampedTo(ApiVersion min, ApiVersion max) {
        if (min.compareTo(max) > 0) {
            throw new IllegalArgumentException("empty range of versions: " + min + " to " + max);
        }
        if (compareTo(min) < 0) {
            return min;
        }
        return compareTo(max) > 0 ? max : this;
    }

    @Override
    public int compareTo(ApiVersion other) {
        int byMajor = Integer.compare(major, other.major);
        return byMajor != 0 ? byMajor : Integer.compare(minor, other.minor);
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}
