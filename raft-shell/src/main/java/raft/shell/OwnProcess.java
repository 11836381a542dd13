package raft.shell;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The same software in a process of its own, with this one's Java and class path. */
public final class OwnProcess {
    private OwnProcess() {}

    /**
     * The command line, to which more may be added.
     *
     * @param words for {@code ./raft}
     */
    public static List<String> command(List<String> words) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(
                List.of(
                        "-XX:+UseSerialGC",
                        "-Xshare:auto",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow"));
        String home = System.getProperty("raft.home");
        if (home != null) {
            command.add("-Draft.home=" + home);
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(words);
        return command;
    }
}
