package raft.shell;

/** Entry point of {@code ./raft}. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        System.exit(254);
    }
}
