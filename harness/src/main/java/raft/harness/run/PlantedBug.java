package raft.harness.run;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.json.JsonMapper;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * A bug as data: one edit of the node's source. The node itself has no switch for it; a wrong node
 * is built from edited sources, so what is tested to be caught differs from the right node in
 * nothing else.
 *
 * @param id short name, "L1" say
 * @param title what is wrong, in words
 * @param file path below the node's source root
 * @param find text that occurs in it exactly once
 * @param replace what stands there instead
 */
public record PlantedBug(String id, String title, String file, String find, String replace) {
    private static final String FILE_ENDING = ".json";
    private static final String NEEDS =
            "the planted bug %s needs id, title, file, find and replace";

    /**
     * One of ours, or of the user's own.
     *
     * @param id of ours, "L1" say, or the path of a file with the same five members as ours have
     * @throws IllegalArgumentException when there is no such bug, or the file does not describe one
     */
    public static PlantedBug named(String id) {
        return id.endsWith(FILE_ENDING) ? read(Path.of(id)) : ours(id);
    }

    private static PlantedBug read(Path path) {
        PlantedBug bug;
        try {
            bug = JsonMapper.shared().readValue(Files.readAllBytes(path), PlantedBug.class);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "the planted bug " + path + " cannot be read: no such file", e);
        } catch (MismatchedInputException e) {
            // An array of bugs, say, or a number where text belongs.
            throw new IllegalArgumentException(
                    NEEDS.formatted(path) + ", each a text; one bug is one object in a file", e);
        } catch (JacksonException e) {
            throw new IllegalArgumentException(
                    "the planted bug "
                            + path
                            + " is not JSON: line "
                            + e.getLocation().getLineNr()
                            + ", column "
                            + e.getLocation().getColumnNr(),
                    e);
        }
        if (bug == null
                || Stream.of(bug.id, bug.title, bug.file, bug.find, bug.replace)
                        .anyMatch(Objects::isNull)) {
            throw new IllegalArgumentException(NEEDS.formatted(path));
        }
        if (!bug.id.matches("[A-Za-z0-9][A-Za-z0-9_-]*") || bug.file.contains("..")) {
            throw new IllegalArgumentException(
                    "the planted bug "
                            + path
                            + " needs an id of letters and digits, and a file below the node's"
                            + " sources, raft/core/Raft.java say");
        }
        return bug;
    }

    private static PlantedBug ours(String id) {
        String resource = "planted/" + id + ".json";
        try (InputStream in =
                id.matches("[A-Z][0-9]+") ? PlantedBug.class.getResourceAsStream(resource) : null) {
            if (in == null) {
                throw new IllegalArgumentException(
                        "no planted bug is called '"
                                + id
                                + "'; there are "
                                + ids()
                                + ", and files of your own that end in "
                                + FILE_ENDING);
            }
            return JsonMapper.shared().readValue(in.readAllBytes(), PlantedBug.class);
        } catch (IOException | JacksonException e) {
            throw new IllegalStateException(
                    "the planted bug " + id + " cannot be read: " + e.getMessage(), e);
        }
    }

    /** All that there are; those that begin with B are benign and must not be reported. */
    public static List<String> ids() {
        try (InputStream in = PlantedBug.class.getResourceAsStream("planted/index.txt")) {
            if (in == null) {
                throw new IllegalStateException("the index of planted bugs is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
        } catch (IOException e) {
            throw new IllegalStateException("the index of planted bugs cannot be read", e);
        }
    }

    /** Whether it changes nothing that anybody may complain about. */
    public boolean isBenign() {
        return id.startsWith("B");
    }

    /**
     * Builds the wrong node.
     *
     * @param sourceRoot the node's sources, raft-node/src/main/java
     * @param workFolder emptied and used
     * @return a jar that starts like the right one
     * @throws IOException when sources cannot be read, the text is not there exactly once, or the
     *     edit does not compile
     */
    public Path build(Path sourceRoot, Path workFolder) throws IOException {
        deleteTree(workFolder);
        Path sources = workFolder.resolve("src");
        Path classes = workFolder.resolve("classes");
        Files.createDirectories(classes);
        copyTree(sourceRoot, sources);
        Path edited = sources.resolve(file);
        Files.writeString(edited, edited(Files.readString(edited)));
        compile(sources, classes);
        Path jar = workFolder.resolve("raft-node.jar");
        pack(classes, jar);
        return jar;
    }

    /**
     * The file's text with the edit in it.
     *
     * @throws IOException when the text to find is not there exactly once
     */
    public String edited(String text) throws IOException {
        int at = text.indexOf(find);
        if (at < 0 || text.indexOf(find, at + 1) >= 0) {
            throw new IOException(
                    "planted bug "
                            + id
                            + ": its text must stand exactly once in "
                            + file
                            + "; the node was changed, so the edit must be renewed");
        }
        return text.substring(0, at) + replace + text.substring(at + find.length());
    }

    private void compile(Path sources, Path classes) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            throw new IOException("planted bugs need a JDK with its compiler, not a bare run-time");
        }
        StringWriter complaints = new StringWriter();
        try (StandardJavaFileManager files =
                        compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8);
                Stream<Path> all = Files.walk(sources)) {
            List<File> java =
                    all.filter(path -> path.toString().endsWith(".java"))
                            .map(Path::toFile)
                            .toList();
            List<String> options =
                    List.of(
                            "--release",
                            Integer.toString(Runtime.version().feature()),
                            "-nowarn",
                            "-proc:none",
                            "-cp",
                            System.getProperty("java.class.path"),
                            "-d",
                            classes.toString());
            boolean compiled =
                    compiler.getTask(
                                    complaints,
                                    files,
                                    null,
                                    options,
                                    null,
                                    files.getJavaFileObjectsFromFiles(java))
                            .call();
            if (!compiled) {
                throw new IOException("planted bug " + id + " does not compile: " + complaints);
            }
        }
    }

    private static void pack(Path classes, Path jar) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, "raft.node.Main");
        ByteArrayOutputStream manifestBytes = new ByteArrayOutputStream();
        manifest.write(manifestBytes);
        try (JarOutputStream packed = new JarOutputStream(Files.newOutputStream(jar));
                Stream<Path> all = Files.walk(classes)) {
            put(packed, JarFile.MANIFEST_NAME, manifestBytes.toByteArray());
            for (Path path : all.filter(Files::isRegularFile).sorted().toList()) {
                put(packed, classes.relativize(path).toString(), Files.readAllBytes(path));
            }
        }
    }

    private static void put(JarOutputStream packed, String name, byte[] content)
            throws IOException {
        JarEntry entry = new JarEntry(name);
        // A fixed time, so that the same edit gives the same jar and so the same image.
        entry.setTime(0);
        packed.putNextEntry(entry);
        packed.write(content);
        packed.closeEntry();
    }

    private static void copyTree(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path path : all.toList()) {
                Path target = to.resolve(from.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(path, target);
                }
            }
        }
    }

    private static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        List<Path> paths = new ArrayList<>();
        try (Stream<Path> all = Files.walk(root)) {
            all.sorted(Comparator.reverseOrder()).forEach(paths::add);
        }
        for (Path path : paths) {
            Files.delete(path);
        }
    }
}
