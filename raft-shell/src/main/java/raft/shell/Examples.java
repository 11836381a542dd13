package raft.shell;

import picocli.CommandLine;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Examples for the help of commands that bring none of their own. */
final class Examples {
    private static final Map<String, List<String>> BY_COMMAND = new LinkedHashMap<>();

    static {
        add("test", "test --time 20s", "test --cluster sim --seed 42", "test --plant L1");
        add("check", "check histories/latest", "check --model register history.edn");
        add("history", "history list", "history show histories/latest --key 3");
        add("history list", "history list", "history list --cluster sim");
        add("history show", "history show", "history show histories/latest --key 3 --type fail");
        add("history stats", "history stats", "history stats histories/latest");
        add("history explain", "history explain", "history explain histories/latest");
        add("history timeline", "history timeline", "history timeline --from 3s --to 5s");
        add("history diff", "history diff histories/register/ONE histories/register/OTHER");
        add("history import", "history import jepsen/history.edn --model register");
        add("history export", "history export histories/latest --format edn --file history.edn");
        add("history open", "history open", "history open histories/latest --no-browser");
        add("serve", "serve", "serve --port 8080");
        add("nightly", "nightly --budget 10m", "nightly --budget 8h --shard 1/2");
        add("sim", "sim seeds --count 1000", "sim replay 42", "sim speed 0.1");
        add("sim seeds", "sim seeds --count 1000 --jobs 2");
        add("sim replay", "sim replay 42 --quiet", "sim replay found.json");
        add("sim minimise", "sim minimise 8 --plant M1 --out small.json");
        add("sim score", "sim score --bugs C1,L1");
        add("sim mutants", "sim mutants --jobs 2");
        add("bench", "bench node --quick", "bench shell");
        add("bench history", "bench history --quick");
        add("bench node", "bench node --quick");
        add("bench harness", "bench harness --quick");
        add("bench sim", "bench sim --quick");
        add("bench checker", "bench checker --quick");
        add("doctor", "doctor", "doctor --output json");
        add("clean", "clean", "clean --images");
    }

    private Examples() {}

    private static void add(String path, String... lines) {
        BY_COMMAND.put(path, List.of(lines));
    }

    /** Puts them into the help of all commands below. */
    static void into(CommandLine command, String path) {
        command.getSubcommands()
                .forEach(
                        (name, sub) -> {
                            String whole = (path + " " + name).strip();
                            give(sub, BY_COMMAND.getOrDefault(whole, List.of()));
                            into(sub, whole);
                        });
    }

    private static void give(CommandLine command, List<String> examples) {
        String[] footer = command.getCommandSpec().usageMessage().footer();
        boolean has = Arrays.stream(footer).anyMatch(line -> line.contains("Example"));
        if (has || examples.isEmpty()) {
            return;
        }
        String[] longer = Arrays.copyOf(footer, footer.length + 2 + examples.size());
        longer[footer.length] = "";
        longer[footer.length + 1] = examples.size() == 1 ? "Example:" : "Examples:";
        for (int i = 0; i < examples.size(); i++) {
            longer[footer.length + 2 + i] = "  " + examples.get(i);
        }
        command.getCommandSpec().usageMessage().footer(longer);
    }
}
