package raft.node;

import org.jspecify.annotations.Nullable;

import raft.core.Configuration;
import raft.core.Entry;
import raft.core.LostQuorum;
import raft.core.NodeId;
import raft.core.Recovered;
import raft.core.Snapshot;
import raft.storage.DataDirectory;
import raft.storage.Wal;

import java.io.Console;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * {@code raft-node recover}: makes a stopped node the only voter of a cluster with a new id, after
 * a majority was lost for good. Says first what is there and what may be lost, and changes nothing
 * without consent. What goes into the log is {@link LostQuorum}'s decision.
 *
 * <p>The new id is what keeps the old cluster's nodes out, should they come back: they are refused
 * at the handshake, and a data directory of the old cluster does not start under the new id. It is
 * therefore written first: a crash before the log is written leaves a node that reaches nobody, and
 * the command can be given again.
 */
final class RecoverCommand {
    static final String NAME = "recover";
    static final int NOT_CONFIRMED = 1;

    static final String USAGE =
            """
            Lets one node go on alone after a majority of the voters was lost for good. What only the
            lost nodes held is lost. Stop the node first; see OPERATING.md before you use this.

              recover --data-dir FOLDER        of the stopped node (or RAFT_DATA_DIR)
                      --members ID=HOST:PORT   that node alone, and where others will reach it;
                                               default: as its log says
                      --new-cluster-id ID      default: the present one and "-r" and the new term
                      --yes                    do it; without it the node's id must be typed

            Ends with status 0 when done, 1 when not confirmed (nothing was changed), 254 on bad
            usage, 255 when the data cannot be used (the node runs, the log is damaged).
            """;

    private final Consumer<String> out;
    private final Consumer<String> err;
    private final @Nullable Console console;

    /**
     * @param console where consent is asked for; null where nobody can answer
     */
    RecoverCommand(Consumer<String> out, Consumer<String> err, @Nullable Console console) {
        this.out = out;
        this.err = err;
        this.console = console;
    }

    private record Options(
            Path dataDir,
            NodeConfig.@Nullable Address address,
            @Nullable NodeId member,
            @Nullable String newClusterId,
            boolean confirmed) {}

    /** What was found in the data directory. */
    private record Found(
            DataDirectory.Identity identity,
            Recovered recovered,
            Configuration members,
            NodeId self) {
        long lastIndex() {
            return recovered.baseIndex() + recovered.entries().size();
        }

        long lastTerm() {
            List<Entry> entries = recovered.entries();
            return entries.isEmpty() ? recovered.baseTerm() : entries.getLast().term();
        }

        String others() {
            return members.members().stream()
                    .map(member -> member.id().name())
                    .filter(id -> !id.equals(self.name()))
                    .collect(Collectors.joining(", "));
        }
    }

    /** Carries it out; gives the exit status. */
    int run(List<String> options) {
        if (options.contains("--help")) {
            out.accept(USAGE.stripTrailing());
            return 0;
        }
        try {
            return recover(parse(options, System.getenv()));
        } catch (NodeConfig.BadSettingException e) {
            err.accept("raft-node recover: " + e.getMessage());
            return Main.BAD_USAGE;
        } catch (IOException e) {
            err.accept("raft-node recover: nothing was changed: " + Main.sentence(e));
            return Main.CANNOT_START;
        }
    }

    private static Options parse(List<String> options, Map<String, String> environment)
            throws NodeConfig.BadSettingException {
        Map<String, String> values = new HashMap<>();
        boolean confirmed = false;
        for (int i = 0; i < options.size(); i++) {
            String option = options.get(i);
            int equals = option.indexOf('=');
            String name = equals < 0 ? option : option.substring(0, equals);
            if (option.equals("--yes")) {
                confirmed = true;
            } else if (!List.of("--data-dir", "--members", "--new-cluster-id").contains(name)) {
                throw new NodeConfig.BadSettingException(
                        "there is no option " + name + ", see recover --help");
            } else if (equals < 0 && i + 1 == options.size()) {
                throw new NodeConfig.BadSettingException(name + " needs a value");
            } else {
                values.put(name, equals < 0 ? options.get(++i) : option.substring(equals + 1));
            }
        }
        String folder = values.getOrDefault("--data-dir", environment.get("RAFT_DATA_DIR"));
        if (folder == null || folder.isEmpty()) {
            throw new NodeConfig.BadSettingException("--data-dir is not given");
        }
        String members = values.get("--members");
        NodeId member = null;
        NodeConfig.Address address = null;
        if (members != null) {
            var parsed = NodeConfig.members(members);
            if (parsed.size() != 1) {
                throw new NodeConfig.BadSettingException(
                        "--members must name the recovered node alone: the others are added to it"
                                + " afterwards, each with an empty data directory");
            }
            member = parsed.firstKey();
            address = parsed.get(member);
        }
        String id = values.get("--new-cluster-id");
        try {
            return new Options(
                    Path.of(folder),
                    address,
                    member,
                    id == null ? null : NodeConfig.nodeId(id, "--new-cluster-id").name(),
                    confirmed);
        } catch (InvalidPathException e) {
            throw new NodeConfig.BadSettingException("--data-dir: " + e.getMessage());
        }
    }

    private int recover(Options options) throws IOException, NodeConfig.BadSettingException {
        SplittableRandom random = new SplittableRandom();
        try (DataDirectory data = DataDirectory.openStopped(options.dataDir)) {
            Wal.Opened opened = Wal.open(data.disk(), Wal.DEFAULT_SEGMENT_BYTES, random::nextLong);
            try (Wal wal = opened.wal()) {
                Found found = found(data, opened.recovered());
                Configuration.Member only = onlyMember(options, found);
                String newId = newClusterId(options, found);
                describe(options, found, only, newId);
                if (!options.confirmed && !isTyped(found.self)) {
                    err.accept(
                            "raft-node recover: not confirmed, nothing was changed; give --yes"
                                    + " once you are certain");
                    return NOT_CONFIRMED;
                }
                try {
                    data.identity(new DataDirectory.Identity(newId, found.self.name()));
                    PeerIdentities.forgetAll(data);
                    wal.append(LostQuorum.writes(found.recovered, only));
                    wal.sync();
                } catch (IOException e) {
                    err.accept(
                            "raft-node recover: cut short, give the command again once the disk"
                                    + " works: "
                                    + Main.sentence(e));
                    return Main.CANNOT_START;
                }
            }
        }
        out.accept(
                "Done. Start it with the settings it had, but with cluster-id and members as"
                        + " above.");
        return 0;
    }

    private static Found found(DataDirectory data, Recovered recovered) throws IOException {
        DataDirectory.Identity identity = data.identity();
        if (recovered.isEmpty()) {
            throw new IOException(
                    "the log is empty: a node that has no data cannot give it to others");
        }
        String initial = data.text(Node.MEMBERS);
        Configuration began = Node.membersOf(initial == null ? "" : initial);
        return new Found(
                identity,
                recovered,
                LostQuorum.members(began, recovered),
                new NodeId(identity.nodeId()));
    }

    private static Configuration.Member onlyMember(Options options, Found found)
            throws NodeConfig.BadSettingException {
        if (found.members.members().size() == 1 && found.members.isVoter(found.self)) {
            throw new NodeConfig.BadSettingException(
                    found.self + " is the only member already: it needs nobody, so just start it");
        }
        if (options.member != null && !options.member.equals(found.self)) {
            throw new NodeConfig.BadSettingException(
                    "--members names "
                            + options.member
                            + ", but the data directory is that of "
                            + found.self);
        }
        String address =
                options.address != null
                        ? options.address.toString()
                        : found.members.members().stream()
                                .filter(member -> member.id().equals(found.self))
                                .map(Configuration.Member::address)
                                .findFirst()
                                .orElse("");
        if (address.isEmpty()) {
            throw new NodeConfig.BadSettingException(
                    "the log does not say where others reach "
                            + found.self
                            + ": give --members "
                            + found.self
                            + "=HOST:PORT");
        }
        return new Configuration.Member(found.self, address, true);
    }

    private static String newClusterId(Options options, Found found)
            throws NodeConfig.BadSettingException {
        String old = found.identity.clusterId();
        String id =
                options.newClusterId != null
                        ? options.newClusterId
                        : old + "-r" + LostQuorum.nextTerm(found.recovered);
        // The default is the present one where this command was cut short before it wrote the log.
        if (options.newClusterId != null && id.equals(old)) {
            throw new NodeConfig.BadSettingException(
                    "--new-cluster-id is the present one: nodes of the old cluster that come back"
                            + " could not be told from new ones");
        }
        return NodeConfig.nodeId(id, "--new-cluster-id").name();
    }

    private void describe(
            Options options, Found found, Configuration.Member only, String newClusterId) {
        Recovered recovered = found.recovered;
        Snapshot snapshot = recovered.snapshot();
        long certain = snapshot == null ? 0 : snapshot.index();
        NodeId vote = recovered.hardState().votedFor();
        List<String> lines = new ArrayList<>();
        lines.add("data directory   " + options.dataDir);
        lines.add("belongs to       " + found.self + " of cluster " + found.identity.clusterId());
        lines.add(
                "last entry       index "
                        + found.lastIndex()
                        + ", term "
                        + found.lastTerm()
                        + (found.lastIndex() == recovered.baseIndex()
                                ? ", in the snapshot"
                                : "; the log begins at index " + (recovered.baseIndex() + 1)));
        lines.add(
                "term             "
                        + recovered.hardState().term()
                        + (vote == null ? ", no vote given" : ", voted for " + vote));
        lines.add(
                "committed        "
                        + (certain == 0
                                ? "not known from the disk; any part of the log may be"
                                : "up to index " + certain + " for certain, by its snapshot"));
        lines.add("members          " + found.members);
        lines.add("");
        lines.add("What would be done:");
        lines.add(
                "  "
                        + only.id()
                        + " at "
                        + only.address()
                        + " becomes the only member, in term "
                        + LostQuorum.nextTerm(recovered)
                        + ".");
        lines.add("  The cluster's id becomes " + newClusterId + ".");
        lines.add(
                "  Entries "
                        + (certain + 1)
                        + " to "
                        + found.lastIndex()
                        + " count as committed, also where clients were told \"unknown\".");
        lines.add("What may be lost:");
        lines.add("  All that was committed behind index " + found.lastIndex() + " by the others.");
        lines.add("  Compare the survivors: take the one whose last entry has the greatest term,");
        lines.add("  among equals the greatest index.");
        String others = found.others();
        if (!others.isEmpty()) {
            lines.add("Afterwards:");
            lines.add("  " + others + " must not come back with the data they have: wipe it, then");
            lines.add("  add them as new nodes. With the old data they are refused.");
        }
        lines.forEach(out);
    }

    private boolean isTyped(NodeId self) {
        if (console == null) {
            return false;
        }
        String typed = console.readLine("Type %s to do it: ", self);
        return typed != null && typed.strip().equals(self.name());
    }
}
