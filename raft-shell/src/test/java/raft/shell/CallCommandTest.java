package raft.shell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import picocli.CommandLine;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;

/** What can be wrong before anybody is asked, and when nobody answers. */
final class CallCommandTest {
    private final StringWriter err = new StringWriter();

    private int call(String... words) {
        CommandLine line = new CommandLine(new CallCommand());
        line.setErr(new PrintWriter(err, true));
        line.setParameterExceptionHandler(
                (e, args) -> {
                    line.getErr().println(e.getMessage());
                    return Main.EXIT_USAGE;
                });
        return line.execute(words);
    }

    @Test
    void badInputIsOneSentence() {
        assertThat(call("--nodes", "n1", "get", "k")).isEqualTo(Main.EXIT_USAGE);
        assertThat(call("--nodes", "n1=h:1", "got", "k")).isEqualTo(Main.EXIT_USAGE);
        assertThat(call("--nodes", "n1=h:1", "put", "k")).isEqualTo(Main.EXIT_USAGE);
        assertThat(call("--nodes", "n1=h:1", "increment", "k", "x")).isEqualTo(Main.EXIT_USAGE);
        assertThat(call("--nodes", "n1=h:1", "--tls-ca", "ca", "get", "k"))
                .isEqualTo(Main.EXIT_USAGE);
        assertThat(err.toString())
                .isEqualToIgnoringNewLines(
                        """
                        --nodes must read ID=HOST:PORT,…, not 'n1'
                        there is no request 'got', see --help
                        put takes 2 words, see --help
                        a delta is a whole number of 64 bits, not 'x'
                        TLS needs all of --tls-cert, --tls-key and --tls-ca
                        """);
    }

    @Test
    void nobodyThereIsCertainlyNotDone() throws Exception {
        int port;
        try (ServerSocket any = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = any.getLocalPort();
        }
        String node = "n1=127.0.0.1:" + port;
        assertThat(call("--nodes", node, "--timeout", "200ms", "put", "k", "v"))
                .isEqualTo(Main.EXIT_FAILURE);
        assertThat(err.toString())
                .startsWith("raft: certainly not done (other): No answer within 200 ms; the last")
                .contains("cannot talk to 127.0.0.1:" + port);
    }
}
