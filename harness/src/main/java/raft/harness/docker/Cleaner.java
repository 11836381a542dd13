package raft.harness.docker;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.Container;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Removes what this software made in the engine, found by its labels, and nothing else. Right at
 * any moment, also after the process that made it was killed: labels are put on with the creation.
 */
public final class Cleaner {
    /** Temporary files and folders of image building; "bootstrap.log" is not one of them. */
    private static final Pattern HALF_MADE = Pattern.compile("(context|bootstrap|link)\\.(?!log$)");

    private static final int DELETE_TRIES = 50;
    private static final long DELETE_PAUSE_MILLIS = 200;

    private Cleaner() {}

    /**
     * Removes what dead processes of this machine left behind. What a living process made, or one
     * whose life cannot be seen from here, is not touched.
     *
     * @return one sentence for every object removed or not to be removed
     */
    public static List<String> cleanStale(Engine engine) {
        Owner me = Owner.here("");
        return remove(engine, labels -> isStale(labels, me));
    }

    static boolean isStale(@Nullable Map<String, String> labels, Owner me) {
        Owner owner = Owner.of(labels);
        return owner != null && owner.life(me) == Owner.Life.DEAD;
    }

    /** Removes what one run made. */
    static List<String> removeRun(Engine engine, String run) {
        return remove(engine, labels -> labels != null && run.equals(labels.get(Owner.RUN)));
    }

    /** Removes what every run made, also those that still go on. */
    public static List<String> removeAll(Engine engine) {
        return remove(engine, Cleaner::isOfAnyRun);
    }

    static boolean isOfAnyRun(@Nullable Map<String, String> labels) {
        return labels != null && labels.containsKey(Owner.RUN);
    }

    private interface Removal {
        void now();
    }

    private static List<String> remove(
            Engine engine, Predicate<@Nullable Map<String, String>> ours) {
        List<String> said = new ArrayList<>();
        DockerClient docker = engine.commands();
        List<String> label = List.of(Owner.RUN);
        List<Container> containers =
                docker.listContainersCmd().withShowAll(true).withLabelFilter(label).exec().stream()
                        .filter(container -> ours.test(container.getLabels()))
                        .toList();
        // Nodes first: they live in the network of the other container of their pod. At the same
        // time within each kind, since the engine takes a third of a second for each.
        List<Container> nets = containers.stream().filter(Cleaner::isNet).toList();
        List<Container> nodes = containers.stream().filter(c -> !isNet(c)).toList();
        try (ExecutorService workers = Executors.newCachedThreadPool()) {
            for (List<Container> kind : List.of(nodes, nets)) {
                List<CompletableFuture<String>> removals = new ArrayList<>();
                for (Container container : kind) {
                    removals.add(
                            CompletableFuture.supplyAsync(
                                    () -> removeContainer(docker, container), workers));
                }
                removals.forEach(removal -> said.add(removal.join()));
            }
        }
        docker.listNetworksCmd().withFilter("label", label).exec().stream()
                .filter(network -> ours.test(network.getLabels()))
                .map(
                        network ->
                                removed(
                                        "network " + network.getName(),
                                        () -> docker.removeNetworkCmd(network.getId()).exec()))
                .forEach(said::add);
        var volumes = docker.listVolumesCmd().withFilter("label", label).exec().getVolumes();
        if (volumes != null) {
            volumes.stream()
                    .filter(volume -> ours.test(volume.getLabels()))
                    .map(
                            volume ->
                                    removed(
                                            "volume " + volume.getName(),
                                            () -> docker.removeVolumeCmd(volume.getName()).exec()))
                    .forEach(said::add);
        }
        return said;
    }

    private static String removeContainer(DockerClient docker, Container container) {
        return removed(
                "container " + nameOf(container),
                () ->
                        docker.removeContainerCmd(container.getId())
                                .withForce(true)
                                .withRemoveVolumes(true)
                                .exec());
    }

    /** Removes the images that were made here; the next run makes them anew. */
    public static List<String> removeImages(Engine engine) {
        List<String> said = new ArrayList<>();
        DockerClient docker = engine.commands();
        // Newest layers first: an image that others stand on cannot go.
        for (String repository :
                List.of(
                        "raftlab/node",
                        "raftlab/etcd",
                        "raftlab/runtime",
                        "raftlab/net",
                        "raftlab/base")) {
            for (var image : docker.listImagesCmd().exec()) {
                String[] tags = image.getRepoTags();
                for (String tag : tags == null ? new String[0] : tags) {
                    if (tag.startsWith(repository + ":")) {
                        said.add(removed("image " + tag, () -> docker.removeImageCmd(tag).exec()));
                    }
                }
            }
        }
        return said;
    }

    /**
     * Removes half-made files that a killed process left in the cache; with {@code whole} all of
     * it.
     *
     * @throws IOException when something cannot be deleted
     */
    public static List<String> removeCache(boolean whole) throws IOException {
        Path cache = ProjectFolder.cache();
        List<String> said = new ArrayList<>();
        if (!Files.isDirectory(cache)) {
            return said;
        }
        try (FileChannel channel =
                        FileChannel.open(
                                cache.resolve("lock"),
                                StandardOpenOption.CREATE,
                                StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            if (lock == null) {
                return List.of("left " + cache + " alone: another process makes images in it");
            }
            List<Path> inside;
            try (Stream<Path> list = Files.list(cache)) {
                inside = list.filter(path -> !path.endsWith("lock")).sorted().toList();
            }
            for (Path path : inside) {
                if (whole || HALF_MADE.matcher(path.getFileName().toString()).lookingAt()) {
                    deleteHalfMade(path);
                    said.add("removed " + path);
                }
            }
            if (whole) {
                Files.delete(cache.resolve("lock"));
                Files.delete(cache);
                said.add("removed " + cache);
            }
        }
        return said;
    }

    /**
     * What a killed process had started to make an image ends by itself within a moment, and until
     * then may write here or remove the same.
     */
    private static void deleteHalfMade(Path path) throws IOException {
        for (int triesLeft = DELETE_TRIES; ; triesLeft--) {
            try {
                RuntimeImage.deleteTree(path);
                return;
            } catch (IOException | UncheckedIOException e) {
                if (triesLeft == 0) {
                    throw e;
                }
            }
            try {
                Thread.sleep(DELETE_PAUSE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while " + path + " was deleted", e);
            }
        }
    }

    private static String removed(String what, Removal removal) {
        try {
            removal.now();
            return "removed " + what;
        } catch (NotFoundException e) {
            return "removed " + what + " (it was gone already)";
        } catch (DockerException e) {
            return "could not remove " + what + ": " + Engine.rootMessage(e);
        }
    }

    private static boolean isNet(Container container) {
        return nameOf(container).endsWith("-net");
    }

    private static String nameOf(Container container) {
        String[] names = container.getNames();
        return names == null || names.length == 0
                ? String.valueOf(container.getId())
                : names[0].replaceFirst("^/", "");
    }
}
