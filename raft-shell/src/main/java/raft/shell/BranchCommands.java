package raft.shell;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import raft.harness.sim.travel.Decision;
import raft.harness.sim.travel.Decision.Act;
import raft.harness.sim.travel.Journey;
import raft.harness.sim.travel.JourneyFile;
import raft.harness.sim.travel.Travel;
import raft.shell.live.DataText;
import raft.shell.live.Session;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Keeping what one did: under a name, as a script, as a file that can be replayed. */
final class BranchCommands {
    private BranchCommands() {}

    @Command(
            name = "branch",
            description = "Keeps the present under a name, or goes to one that was kept.",
            footer = {
                "",
                "Examples:",
                "  branch before        keeps the present, or goes there where the name is taken",
                "  branch               lists what was kept"
            })
    static final class Branch extends TravelCommand {
        @Parameters(index = "0", arity = "0..1", paramLabel = "BRANCH", description = "its name")
        @Nullable String name;

        @Option(names = "--again", description = "keeps the present although the name is taken")
        boolean again;

        @Override
        int go() throws InterruptedException {
            Map<String, Session.Kept> kept = session().branches();
            if (name == null && isJson()) {
                json(kept.keySet());
                return 0;
            }
            if (name == null) {
                kept.forEach(
                        (label, present) ->
                                say(
                                        label
                                                + "  #"
                                                + present.event()
                                                + ", "
                                                + present.decisions().stream()
                                                        .filter(Decision::byHand)
                                                        .count()
                                                + " decisions by hand"));
                if (kept.isEmpty()) {
                    say("nothing was kept; 'branch NAME' keeps the present");
                }
                return 0;
            }
            Session.Kept there = kept.get(name);
            if (there == null || again) {
                kept.put(
                        name,
                        cluster()
                                .travel(
                                        travel ->
                                                new Session.Kept(
                                                        travel.decisions(), travel.eventCount())));
                if (isJson()) {
                    json(Map.of("kept", name));
                }
                sayToPeople("kept as " + name);
                return 0;
            }
            boolean reached =
                    cluster()
                            .travel(
                                    travel -> {
                                        travel.restore(there.decisions());
                                        return travel.goTo(there.event());
                                    });
            here();
            return reached ? 0 : 2;
        }
    }

    @Command(
            name = "export",
            description = "Writes what was done here as a file that repeats it.",
            footer = {
                "",
                "A name that ends in .json gets every decision, event by event; another one a"
                        + " script of the",
                "commands, to be read and edited.",
                "",
                "Examples:",
                "  export found.json          then: ./raft sim replay found.json",
                "  export found.raft          then: ./raft shell -f found.raft",
                "  export                     the script on the screen"
            })
    static final class Export extends TravelCommand {
        @Parameters(index = "0", arity = "0..1", paramLabel = "OUTFILE", description = "where to")
        @Nullable Path file;

        @Override
        int go() throws IOException, InterruptedException {
            if (file != null && file.toString().endsWith(".json")) {
                return whole(file);
            }
            List<Decision> decisions = cluster().travel(Travel::byHand);
            long event = cluster().travel(Travel::eventCount);
            List<String> lines = new ArrayList<>();
            Session.Origin origin = session().origin();
            lines.add("# Repeats what was done by hand, event by event.");
            lines.add(origin == null ? "# of unknown origin" : origin.command());
            for (Decision decision : decisions) {
                lines.add("goto #" + decision.afterEvent());
                lines.add(words(decision));
            }
            lines.add("goto #" + event);
            Path target = file;
            if (target == null) {
                if (isJson()) {
                    json(lines);
                } else {
                    say(lines);
                }
            } else {
                Files.write(target, lines);
                if (isJson()) {
                    json(Map.of("file", target.toString()));
                }
                sayToPeople(
                        "written to " + target + "; './raft shell -f " + target + "' repeats it");
            }
            return 0;
        }

        private int whole(Path target) throws IOException, InterruptedException {
            Session.Origin origin = session().origin();
            String plant = origin == null ? null : origin.plant();
            Journey journey = cluster().travel(travel -> Journey.of(plant, travel));
            JourneyFile.write(target, journey);
            if (isJson()) {
                json(Map.of("file", target.toString()));
            }
            sayToPeople("written to " + target + "; './raft sim replay " + target + "' repeats it");
            return 0;
        }

        private static String words(Decision decision) {
            if (!decision.words().isEmpty()) {
                return decision.words();
            }
            return switch (decision.act()) {
                case Act.Invoke(var asked) -> {
                    String key = DataText.of(asked.key());
                    yield switch (asked.f()) {
                        case "read" -> "try get " + key + " --from " + asked.node();
                        case "write" ->
                                "try put "
                                        + key
                                        + " '"
                                        + DataText.of(asked.value())
                                        + "' --from "
                                        + asked.node();
                        default -> "# " + asked.f() + " " + key + " " + asked.value();
                    };
                }
                case Act.Inject(var fault) -> "# fault " + fault.kind() + " " + fault.action();
                case Act.Heal(var fault) -> "try heal #" + fault.id();
                default -> "# " + decision.act();
            };
        }
    }
}
