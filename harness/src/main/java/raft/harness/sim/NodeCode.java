package raft.harness.sim;

import org.jspecify.annotations.Nullable;

import raft.harness.run.PlantedBug;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;

import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * The node's code that a simulated cluster runs: the right one, or one with a single source edit
 * compiled in memory. A wrong node gets classes of its own through a class loader of its own, and
 * the inside of the simulator with them; the right one's are untouched.
 */
public final class NodeCode {
    private static final String WORLD_PACKAGE = "raft.harness.sim.world.";
    private static final String WORLD = WORLD_PACKAGE + "SimCluster";

    /** Loaded anew for each variant: the code under test and what names its classes. */
    private static final List<String> OWN_PACKAGES =
            List.of("raft.core.", "raft.kv.", "raft.peer.", "raft.storage.", WORLD_PACKAGE);

    private final Function<SimOptions, SimulatedCluster> starter;
    private final @Nullable Plant plant;

    /** Where a wrong node came from, for another JVM to make it again. */
    record Plant(String id, Path sourceRoot) {}

    private NodeCode(Function<SimOptions, SimulatedCluster> starter, @Nullable Plant plant) {
        this.starter = starter;
        this.plant = plant;
    }

    /** The node as it is. */
    public static NodeCode right() {
        return new NodeCode(starter(NodeCode.class.getClassLoader()), null);
    }

    /**
     * The node with one edit.
     *
     * @param sourceRoot the node's sources, raft-node/src/main/java
     * @throws IOException when the edit does not fit or does not compile
     */
    public static NodeCode planted(PlantedBug bug, Path sourceRoot) throws IOException {
        String text = bug.edited(Files.readString(sourceRoot.resolve(bug.file())));
        return new NodeCode(
                starter(new VariantLoader(compile(bug.file(), text))),
                new Plant(bug.id(), sourceRoot));
    }

    /**
     * The node with another text of one file.
     *
     * @throws IOException when it does not compile
     */
    static NodeCode mutated(Mutants.Mutant mutant) throws IOException {
        return new NodeCode(
                starter(new VariantLoader(compile(mutant.file(), mutant.text()))), null);
    }

    /** Null for the right node. */
    @Nullable Plant plant() {
        return plant;
    }

    /** The same node, in clusters with something put around them. */
    public NodeCode around(UnaryOperator<SimulatedCluster> wrapper) {
        return new NodeCode(options -> wrapper.apply(start(options)), plant);
    }

    /** Starts a cluster of this node. */
    public SimulatedCluster start(SimOptions options) {
        return starter.apply(options);
    }

    private static Function<SimOptions, SimulatedCluster> starter(ClassLoader loader) {
        try {
            var constructor = loader.loadClass(WORLD).getConstructor(SimOptions.class);
            return options -> {
                try {
                    return (SimulatedCluster) constructor.newInstance(options);
                } catch (ReflectiveOperationException e) {
                    throw new IllegalStateException("the simulated cluster did not start", e);
                }
            };
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the simulator is not on the class path", e);
        }
    }

    // ---- The compiler ----

    private static Map<String, byte[]> compile(String file, String text) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            throw new IOException("planted bugs need a JDK with its compiler, not a bare run-time");
        }
        StringWriter complaints = new StringWriter();
        try (StandardJavaFileManager files =
                        compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8);
                InMemory output = new InMemory(files)) {
            boolean compiled =
                    compiler.getTask(
                                    complaints,
                                    output,
                                    null,
                                    List.of(
                                            "-nowarn",
                                            "-proc:none",
                                            "-cp",
                                            System.getProperty("java.class.path")),
                                    null,
                                    List.of(new Source(file, text)))
                            .call();
            if (!compiled) {
                throw new IOException("the edit of " + file + " does not compile: " + complaints);
            }
            return output.classes();
        }
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String file, String text) {
            super(URI.create("memory:///" + file), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }

    private static final class Compiled extends SimpleJavaFileObject {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Compiled(String className) {
            super(URI.create("memory:///" + className.replace('.', '/') + ".class"), Kind.CLASS);
        }

        @Override
        public OutputStream openOutputStream() {
            return bytes;
        }
    }

    private static final class InMemory extends ForwardingJavaFileManager<JavaFileManager> {
        private final Map<String, Compiled> compiled = new TreeMap<>();

        InMemory(JavaFileManager files) {
            super(files);
        }

        @Override
        public JavaFileObject getJavaFileForOutput(
                Location location,
                String className,
                JavaFileObject.Kind kind,
                javax.tools.FileObject sibling) {
            Compiled target = new Compiled(className);
            compiled.put(className, target);
            return target;
        }

        Map<String, byte[]> classes() {
            Map<String, byte[]> classes = new TreeMap<>();
            compiled.forEach((name, content) -> classes.put(name, content.bytes.toByteArray()));
            return classes;
        }
    }

    // ---- The class loader ----

    private static final class VariantLoader extends ClassLoader {
        private final Map<String, byte[]> edited;

        VariantLoader(Map<String, byte[]> edited) {
            super("variant", NodeCode.class.getClassLoader());
            this.edited = edited;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (OWN_PACKAGES.stream().noneMatch(name::startsWith)) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                if (loaded == null) {
                    byte[] bytes = bytes(name);
                    if (!name.startsWith(WORLD_PACKAGE)) {
                        bytes = LoopGuarding.guarded(bytes);
                    }
                    loaded = defineClass(name, bytes, 0, bytes.length);
                }
                return loaded;
            }
        }

        private byte[] bytes(String name) throws ClassNotFoundException {
            byte[] own = edited.get(name);
            if (own != null) {
                return own;
            }
            String resource = name.replace('.', '/') + ".class";
            try (InputStream in = getParent().getResourceAsStream(resource)) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                return in.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
