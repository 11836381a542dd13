package raft.harness.system;

import java.nio.file.Path;

/** Where a node's image comes from. */
public sealed interface ImageSource {
    /** An image that the engine has or can pull; used unchanged. */
    record Named(String image) implements ImageSource {}

    /** Our node's own image around this jar. */
    record NodeJar(Path jar) implements ImageSource {}

    /**
     * Built from a folder, where its image is missing: {@code Dockerfile} begins with {@code ARG
     * BASE} and {@code FROM ${BASE}} (Debian's essential packages). Where there is a program {@code
     * prepare}, it is run first on this machine with an empty folder as its argument and puts there
     * what the Dockerfile copies, so that no container needs a network; the first line of its
     * output says what it took, its last line of standard error why it failed.
     *
     * @param tag the image's name without a version, "raftlab/etcd" say
     */
    record Folder(String tag, Path folder) implements ImageSource {}
}
