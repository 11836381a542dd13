package raft.shell;

import raft.harness.report.Outcome;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The same software in a process of its own, with this one's Java and class path. It stops as by
 * SIGTERM when the process that started it is gone, however that ended: after {@code kill -9} of a
 * night nobody else would end its test, which would go on with its containers beside the next one.
 */
public final class OwnProcess {
    private static final String STARTER = "raft.started.by";

    private OwnProcess() {}

    /** Makes this process end with the one that started it, if {@link #command} was its line. */
    static void endWithStarter() {
        Long starter = Long.getLong(STARTER);
        if (starter == null) {
            return;
        }
        Thread.ofVirtual()
                .name("end-with-starter")
                .start(
                        () -> {
                            ProcessHandle.of(starter).ifPresent(it -> it.onExit().join());
                            System.exit(Outcome.ERROR.exitStatus());
                        });
    }

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
        command.add("-D" + STARTER + "=" + ProcessHandle.current().pid());
        String home = System.getProperty("raft.home");
        if (home != null) {
            command.add("-Draft.home=" + home);
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(words);
        return command;
    }
}
