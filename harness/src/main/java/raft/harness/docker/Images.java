package raft.harness.docker;

import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.command.BuildImageCmd;
import com.github.dockerjava.api.command.BuildImageResultCallback;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.PullResponseItem;

import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.jspecify.annotations.Nullable;

import raft.harness.system.ImageSource;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * The images of a pod, made where they are missing. Their tags are hashes of what they are made
 * from: nothing is built twice, and nothing stale is used.
 *
 * <p>{@code raftlab/net} is Debian with the fault tools. {@code raftlab/node} is three layers:
 * Debian's essential packages, the Java run-time, the node's jar; so another jar (a node with a
 * planted bug) costs one small layer, well under a second.
 *
 * <p>Debian itself is taken from the image that is present, else pulled, else made from the
 * packages of the machine ({@code docker/bootstrap}).
 */
public final class Images {
    private static final String DEBIAN = "debian:bookworm-slim";
    private static final String BASE = "raftlab/base";
    private static final String NET = "raftlab/net";
    private static final String RUNTIME = "raftlab/runtime";
    private static final String NODE = "raftlab/node";

    /** Of a folder that an image is built from: fetches on this machine what the build copies. */
    private static final String PREPARE = "prepare";

    /** Where a registry is reachable the first bytes come at once. */
    private static final long PULL_SECONDS = 60;

    private static final long BUILD_SECONDS = 300;
    private static final long BOOTSTRAP_SECONDS = 600;

    private final Engine engine;
    private final Path definitions;
    private final Path cache;
    private final Consumer<String> progress;

    private Images(Engine engine, Path definitions, Path cache, Consumer<String> progress) {
        this.engine = engine;
        this.definitions = definitions;
        this.cache = cache;
        this.progress = progress;
    }

    /** Names of images that the engine has. */
    public record Ready(String net, String node) {}

    /**
     * Makes what is missing of both images.
     *
     * @param node where the node's comes from
     * @param progress told one sentence about everything that takes time
     * @throws EngineException when an image cannot be made or had; says why
     */
    public static Ready ensure(Engine engine, ImageSource node, Consumer<String> progress)
            throws EngineException {
        return locked(
                engine,
                progress,
                images ->
                        switch (node) {
                            case ImageSource.NodeJar(Path jar) -> images.withNode(jar);
                            case ImageSource.Named(String image) -> images.withImage(image);
                            case ImageSource.Folder(String tag, Path folder) ->
                                    images.withFolder(tag, folder);
                        });
    }

    /**
     * How the images stand, without making any.
     *
     * @param net the pod's own image, null when it is not there
     * @param canBeMade whether what is missing can be made, as far as that can be told
     * @param words one clause
     */
    record Outlook(@Nullable String net, boolean present, boolean canBeMade, String words) {}

    static Outlook outlook(Engine engine, Path nodeJar) throws IOException {
        Images images =
                new Images(
                        engine,
                        ProjectFolder.find().resolve("docker"),
                        ProjectFolder.cache(),
                        line -> {});
        Bases made = images.basesOfNow();
        String net = images.has(made.net()) ? made.net() : null;
        if (net != null && images.has(made.base())) {
            String runtime = images.runtimeTag(made.base());
            boolean whole =
                    images.has(runtime)
                            && Files.isReadable(nodeJar)
                            && images.has(images.nodeTag(runtime, Files.readAllBytes(nodeJar)));
            return new Outlook(
                    net,
                    whole,
                    true,
                    whole ? "all present" : "bases present, the node's is made in seconds");
        }
        if (images.has(DEBIAN)) {
            return new Outlook(net, false, true, "will be built from " + DEBIAN + ", present");
        }
        boolean bootstrap =
                "root".equals(System.getProperty("user.name"))
                        && Files.isExecutable(Path.of("/usr/bin/apt-get"));
        return new Outlook(
                net,
                false,
                bootstrap,
                bootstrap
                        ? "will be pulled, or made from this machine's Debian packages"
                        : DEBIAN + " is not present, and making it here needs root and apt");
    }

    private interface Making {
        Ready make(Images images) throws IOException;
    }

    /** One at a time on this machine: two runs that start together would make everything twice. */
    private static Ready locked(Engine engine, Consumer<String> progress, Making making)
            throws EngineException {
        Path cache = ProjectFolder.cache();
        Path definitions = ProjectFolder.find().resolve("docker");
        try {
            Files.createDirectories(cache);
            try (FileChannel channel =
                            FileChannel.open(
                                    cache.resolve("lock"),
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                assert lock.isValid();
                return withOtherNet(making.make(new Images(engine, definitions, cache, progress)));
            }
        } catch (EngineException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            throw new EngineException("the images could not be made: " + Engine.rootMessage(e), e);
        }
    }

    /**
     * Where somebody keeps the image with the fault tools elsewhere, or has one of another kind.
     */
    private static Ready withOtherNet(Ready made) {
        String told = System.getenv("RAFT_NET_IMAGE");
        return told == null || told.isBlank() ? made : new Ready(told, made.node());
    }

    private record Bases(String base, String net) {}

    private Ready withImage(String image) throws IOException {
        if (!has(image) && !pulled(image)) {
            throw new EngineException(
                    "there is no image "
                            + image
                            + " and it cannot be pulled: build it, or docker load it");
        }
        return new Ready(bases().net(), image);
    }

    /** The tag is a hash of the folder's files and the base: an edit builds anew. */
    private Ready withFolder(String tag, Path folder) throws IOException {
        Bases bases = bases();
        StringBuilder parts = new StringBuilder(id(bases.base()));
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(Files::isRegularFile).sorted().toList();
        }
        for (Path file : files) {
            parts.append(folder.relativize(file))
                    .append(Hashes.shortHash(Files.readAllBytes(file)));
        }
        String image = tag + ":" + Hashes.shortHash(parts.toString());
        if (!has(image)) {
            progress.accept("building the image " + tag);
            Path context = Files.createTempDirectory(cache, "context.");
            try {
                if (Files.isExecutable(folder.resolve(PREPARE))) {
                    prepare(folder, context);
                }
                for (Path file : files) {
                    Path copy = context.resolve(folder.relativize(file).toString());
                    Files.createDirectories(copy.getParent());
                    Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
                }
                build(context, Map.of("BASE", bases.base()), image);
            } finally {
                RuntimeImage.deleteTree(context);
            }
        }
        return new Ready(bases.net(), image);
    }

    private void prepare(Path folder, Path context) throws IOException {
        Path log = cache.resolve("prepare.log");
        String took =
                run(
                        folder.resolve(PREPARE),
                        context,
                        log,
                        why ->
                                folder.resolve(PREPARE)
                                        + " failed: "
                                        + why
                                        + " (all of it: "
                                        + log
                                        + ")");
        progress.accept("made from " + took);
    }

    private Ready withNode(Path nodeJar) throws IOException {
        if (!Files.isReadable(nodeJar)) {
            throw new EngineException("there is no node's jar " + nodeJar + ": build it first");
        }
        Bases bases = bases();
        String runtime = runtime(bases.base());
        return new Ready(bases.net(), node(runtime, nodeJar));
    }

    private String node(String runtime, Path nodeJar) throws IOException {
        byte[] jar = Files.readAllBytes(nodeJar);
        String dockerfile = definition("node.Dockerfile");
        String tag = nodeTag(runtime, jar);
        if (!has(tag)) {
            progress.accept("building the image of " + nodeJar.getFileName());
            Path context = Files.createTempDirectory(cache, "context.");
            try {
                Files.write(context.resolve("raft-node.jar"), jar);
                Files.writeString(context.resolve("Dockerfile"), dockerfile);
                build(context, Map.of("RUNTIME", runtime), tag);
            } finally {
                RuntimeImage.deleteTree(context);
            }
        }
        return tag;
    }

    private String nodeTag(String runtime, byte[] jar) throws IOException {
        return NODE
                + ":"
                + Hashes.shortHash(runtime + definition("node.Dockerfile") + Hashes.shortHash(jar));
    }

    private String runtimeTag(String base) throws IOException {
        return RUNTIME
                + ":"
                + Hashes.shortHash(
                        id(base) + definition("runtime.Dockerfile") + RuntimeImage.key());
    }

    private String runtime(String base) throws IOException {
        String dockerfile = definition("runtime.Dockerfile");
        String tag = runtimeTag(base);
        if (!has(tag)) {
            Path context = RuntimeImage.ensure(cache, progress);
            Files.writeString(context.resolve("Dockerfile"), dockerfile);
            build(context, Map.of("BASE", base), tag);
        }
        return tag;
    }

    /** Debian: present, else pulled, else made here; says which when it takes time. */
    private Bases bases() throws IOException {
        String net = definition("net.Dockerfile");
        Bases made = basesOfNow();
        if (has(made.base()) && has(made.net())) {
            return made;
        }
        boolean present = has(DEBIAN);
        if (present || pulled(DEBIAN)) {
            progress.accept("base image: " + DEBIAN + (present ? " is present" : " was pulled"));
            if (fromDebian(net, made)) {
                return made;
            }
        }
        bootstrap(made);
        return made;
    }

    private Bases basesOfNow() throws IOException {
        String version =
                Hashes.shortHash(
                        definition("bootstrap")
                                + definition("net.Dockerfile")
                                + definition("faults/disk.c")
                                + definition("faults/packets.c")
                                + definition("faults/make")
                                + definition("faults/run"));
        return new Bases(BASE + ":" + version, NET + ":" + version);
    }

    private boolean fromDebian(String netDockerfile, Bases made) throws IOException {
        Path context = Files.createTempDirectory(cache, "context.");
        try {
            Files.writeString(context.resolve("Dockerfile"), netDockerfile);
            Path faults = Files.createDirectory(context.resolve("faults"));
            for (String file : List.of("disk.c", "packets.c", "make", "run")) {
                Files.copy(
                        definitions.resolve("faults").resolve(file),
                        faults.resolve(file),
                        StandardCopyOption.COPY_ATTRIBUTES);
            }
            build(context, Map.of("BASE", DEBIAN), made.net());
        } catch (EngineException e) {
            progress.accept(
                    "packages cannot be installed in a container here (" + e.getMessage() + ")");
            return false;
        } finally {
            RuntimeImage.deleteTree(context);
        }
        String version = made.base().substring(BASE.length() + 1);
        engine.commands().tagImageCmd(DEBIAN, BASE, version).exec();
        return true;
    }

    private void bootstrap(Bases made) throws IOException {
        progress.accept("base image: made from this machine's Debian packages (once, about 30 s)");
        Path work = Files.createTempDirectory(cache, "bootstrap.");
        try {
            runBootstrap(work);
            importImage(work, "net.tar", made.net());
            importImage(work, "base.tar", made.base());
        } finally {
            RuntimeImage.deleteTree(work);
        }
    }

    private void runBootstrap(Path work) throws IOException {
        Path log = cache.resolve("bootstrap.log");
        String tool =
                run(
                        definitions.resolve("bootstrap"),
                        work,
                        log,
                        why ->
                                "no base image: "
                                        + DEBIAN
                                        + " is neither present nor to be pulled, and making one"
                                        + " failed: "
                                        + why
                                        + " (all of it: "
                                        + log
                                        + ")");
        progress.accept("base image: made with " + tool);
    }

    /**
     * Runs a program of ours on this machine with one folder as its argument.
     *
     * @return the first line that it printed
     * @param failure makes the message from the last line of its standard error
     */
    private static String run(Path program, Path folder, Path log, UnaryOperator<String> failure)
            throws IOException {
        Process process =
                new ProcessBuilder(program.toString(), folder.toString())
                        .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                        .redirectError(log.toFile())
                        .start();
        try (BufferedReader out = process.inputReader()) {
            String first = out.readLine();
            if (!process.waitFor(BOOTSTRAP_SECONDS, TimeUnit.SECONDS)) {
                process.destroy();
                throw new EngineException(program + " did not end; see " + log);
            }
            if (process.exitValue() != 0) {
                throw new EngineException(failure.apply(lastLine(log)));
            }
            return String.valueOf(first);
        } catch (InterruptedException e) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new EngineException("interrupted while " + program + " ran", e);
        }
    }

    private static String lastLine(Path file) throws IOException {
        return Files.readAllLines(file).stream()
                .filter(line -> !line.isBlank())
                .reduce("", (before, line) -> line.strip());
    }

    /**
     * The library's import sends an empty body; a build that adds the archive comes to the same.
     */
    private void importImage(Path work, String archive, String tag) throws IOException {
        Path context = Files.createDirectory(work.resolve("context-" + archive));
        Files.move(work.resolve(archive), context.resolve(archive));
        Files.writeString(
                context.resolve("Dockerfile"),
                "FROM scratch\nADD " + archive + " /\nCMD [\"bash\"]\n");
        build(context, Map.of(), tag);
    }

    private boolean pulled(String image) {
        progress.accept("pulling " + image);
        try {
            ResultCallback.Adapter<PullResponseItem> pull =
                    engine.streams().pullImageCmd(image).start();
            boolean ended = pull.awaitCompletion(PULL_SECONDS, TimeUnit.SECONDS);
            pull.close();
            return ended && has(image);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (IOException | RuntimeException e) {
            return false; // No registry, or none that has it: the next way is tried.
        }
    }

    private void build(Path context, Map<String, String> arguments, String tag) throws IOException {
        Path archive = Files.createTempFile(cache, "context.", ".tar");
        try {
            packed(context, archive);
            try (InputStream content = Files.newInputStream(archive)) {
                BuildImageCmd command =
                        engine.streams()
                                .buildImageCmd(content)
                                .withTags(Set.of(tag))
                                .withLabels(Map.of(Owner.IMAGE, tag))
                                .withRemove(true)
                                .withForcerm(true)
                                .withPull(false);
                arguments.forEach(command::withBuildArg);
                String id =
                        command.exec(new BuildImageResultCallback())
                                .awaitImageId(BUILD_SECONDS, TimeUnit.SECONDS);
                assert !id.isEmpty();
            }
        } catch (RuntimeException e) {
            throw new EngineException(
                    "building the image " + tag + " failed: " + Engine.rootMessage(e), e);
        } finally {
            Files.deleteIfExists(archive);
        }
    }

    /** The library would compress a context, which takes longer than all the rest of the build. */
    private static void packed(Path context, Path archive) throws IOException {
        try (OutputStream file = new BufferedOutputStream(Files.newOutputStream(archive));
                TarArchiveOutputStream tar = new TarArchiveOutputStream(file);
                Stream<Path> all = Files.walk(context)) {
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
            for (Path path : all.filter(Files::isRegularFile).sorted().toList()) {
                TarArchiveEntry entry = new TarArchiveEntry(context.relativize(path).toString());
                entry.setSize(Files.size(path));
                entry.setMode(Files.isExecutable(path) ? 0100755 : 0100644);
                // No times and no owners: the same content is the same layer.
                entry.setModTime(0);
                tar.putArchiveEntry(entry);
                Files.copy(path, tar);
                tar.closeArchiveEntry();
            }
        }
    }

    private boolean has(String image) {
        try {
            engine.commands().inspectImageCmd(image).exec();
            return true;
        } catch (NotFoundException e) {
            return false;
        }
    }

    private String id(String image) {
        return String.valueOf(engine.commands().inspectImageCmd(image).exec().getId());
    }

    private String definition(String name) throws IOException {
        return Files.readString(definitions.resolve(name));
    }
}
