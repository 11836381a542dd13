package raft.harness.docker;

import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;

/** The engine for tests with containers, and the jar of the stand-in node. */
final class ContainerEngine {
    private ContainerEngine() {}

    /**
     * An engine; skips the test with a clear line when none answers, and fails it where the
     * environment says that containers are required.
     */
    static Engine require() {
        try {
            return Engine.connect();
        } catch (EngineException e) {
            if ("required".equals(System.getenv("RAFT_CONTAINERS"))) {
                return Assertions.fail("RAFT_CONTAINERS=required, but " + e.getMessage(), e);
            }
            System.err.println("skipped, needs containers: " + e.getMessage());
            return Assumptions.abort("needs containers: " + e.getMessage());
        }
    }

    /** A jar whose main class is {@link StandInNode}. */
    static Path standInJar(Path folder) throws IOException {
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.put(Attributes.Name.MAIN_CLASS, StandInNode.class.getName());
        Path jar = folder.resolve("stand-in.jar");
        Path classes =
                Path.of(
                        StandInNode.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .getPath());
        String prefix = StandInNode.class.getName().replace('.', '/');
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file);
                Stream<Path> all = Files.walk(classes)) {
            // Entries with a fixed time: the same classes give the same image.
            entry(out, "META-INF/MANIFEST.MF", bytes(manifest));
            for (Path each : all.sorted().toList()) {
                String name = classes.relativize(each).toString();
                if (name.startsWith(prefix) && name.endsWith(".class")) {
                    entry(out, name, Files.readAllBytes(each));
                }
            }
        }
        return jar;
    }

    private static byte[] bytes(Manifest manifest) throws IOException {
        var out = new java.io.ByteArrayOutputStream();
        manifest.write(out);
        return out.toByteArray();
    }

    private static void entry(JarOutputStream out, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(name);
        entry.setTime(0);
        out.putNextEntry(entry);
        out.write(content);
        out.closeEntry();
    }
}
