package raft.node;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.util.List;

/** The process. */
public final class Main {
    static final int BAD_USAGE = 254;
    static final int CANNOT_START = 255;

    private Main() {}

    /** Runs a node until SIGTERM, or ends with the statuses that {@code --help} names. */
    public static void main(String[] args) {
        List<String> options = List.of(args);
        if (options.contains("--help")) {
            say(FileDescriptor.out, NodeConfig.USAGE.stripTrailing());
            return;
        }
        if (!options.isEmpty() && options.getFirst().equals(RecoverCommand.NAME)) {
            RecoverCommand command =
                    new RecoverCommand(
                            line -> say(FileDescriptor.out, line),
                            line -> say(FileDescriptor.err, line),
                            System.console());
            Runtime.getRuntime().halt(command.run(options.subList(1, options.size())));
            return;
        }
        NodeConfig config;
        try {
            if (options.contains("--print-config")) {
                // Printed first: whoever asks for it may want to see why the next line complains.
                String text = NodeConfig.describe(System.getenv(), options);
                say(FileDescriptor.out, text.stripTrailing());
                NodeConfig.parse(System.getenv(), options);
                return;
            }
            config = NodeConfig.parse(System.getenv(), options);
        } catch (NodeConfig.BadSettingException e) {
            say(FileDescriptor.err, "raft-node: " + e.getMessage());
            Runtime.getRuntime().halt(BAD_USAGE);
            return;
        }
        Log log =
                new Log(
                        new FileOutputStream(FileDescriptor.out),
                        NodeClock.SYSTEM,
                        config.nodeId().name());
        Fatal fatal =
                (status, what, cause) -> {
                    log.error(
                            (status == Fatal.BUG ? "stopped by a bug: " : "stopped by the disk: ")
                                    + rule(cause)
                                    + "; "
                                    + what,
                            cause);
                    Runtime.getRuntime().halt(status);
                };
        try {
            Node node = Node.start(config, log, fatal);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(node), "stop"));
            // Only daemons run from here on: the main thread keeps the process alive.
            Thread.currentThread().join();
        } catch (IOException e) {
            log.error("cannot start: " + sentence(e));
            say(FileDescriptor.err, "raft-node: cannot start: " + sentence(e));
            Runtime.getRuntime().halt(CANNOT_START);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** First, and on one line, so that whoever reads last words need not look for it. */
    private static String rule(Throwable cause) {
        String message = cause.getMessage();
        return message != null
                        && (cause instanceof IllegalStateException || cause instanceof IOException)
                ? message.replace('\n', ' ')
                : cause.toString().replace('\n', ' ');
    }

    /** The file system's exceptions carry no more than a path. */
    static String sentence(IOException e) {
        return switch (e) {
            case AccessDeniedException denied -> "no permission for " + denied.getFile();
            case FileAlreadyExistsException exists -> exists.getFile() + " is not a folder";
            case FileSystemException other ->
                    other.getFile()
                            + ": "
                            + (other.getReason() == null
                                    ? other.getClass().getSimpleName()
                                    : other.getReason());
            default -> String.valueOf(e.getMessage());
        };
    }

    private static void stop(Node node) {
        node.close();
        // The JVM would end with 143 after SIGTERM, though all was well.
        Runtime.getRuntime().halt(0);
    }

    private static void say(FileDescriptor where, String text) {
        PrintStream out =
                new PrintStream(new FileOutputStream(where), true, StandardCharsets.UTF_8);
        out.println(text);
    }
}
