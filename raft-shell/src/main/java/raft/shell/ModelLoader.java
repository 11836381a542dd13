package raft.shell;

import raft.harness.model.Model;
import raft.harness.model.Models;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Finds a model by name: one of {@link Models}, or a class of the user's that supplies one. */
final class ModelLoader {
    private ModelLoader() {}

    /**
     * The model of this name.
     *
     * @param name as in {@link Models#named}, or the full name of a public class with a public
     *     constructor without parameters that is a {@code Supplier<Model>}
     * @param path where the class is, separated as a class path; may be empty
     * @throws IllegalArgumentException with one sentence that says what is wrong
     */
    static Model load(String name, String path) {
        if (!name.contains(".")) {
            return Models.named(name);
        }
        List<URL> urls = new ArrayList<>();
        for (String entry : path.isEmpty() ? new String[0] : path.split(File.pathSeparator, -1)) {
            Path place = Path.of(entry);
            if (!Files.exists(place)) {
                throw new IllegalArgumentException("there is nothing at --model-path " + entry);
            }
            try {
                urls.add(place.toUri().toURL());
            } catch (MalformedURLException e) {
                throw new IllegalArgumentException("cannot read --model-path " + entry, e);
            }
        }
        // Not closed: the model's code is loaded from it as long as the model is used.
        var loader =
                new URLClassLoader(urls.toArray(new URL[0]), ModelLoader.class.getClassLoader());
        try {
            Object made = loader.loadClass(name).getConstructor().newInstance();
            if (made instanceof Supplier<?> supplier && supplier.get() instanceof Model model) {
                return model;
            }
            throw new IllegalArgumentException(
                    "the class " + name + " is no Supplier<Model> that supplies a model");
        } catch (ClassNotFoundException e) {
            throw new IllegalArgumentException(
                    "there is no class "
                            + name
                            + (path.isEmpty() ? "; say where with --model-path" : " at " + path)
                            + "; models by name are "
                            + String.join(", ", Models.names()),
                    e);
        } catch (ReflectiveOperationException | LinkageError e) {
            throw new IllegalArgumentException(
                    "the class "
                            + name
                            + " cannot be made: it needs a public constructor without"
                            + " parameters ("
                            + e
                            + ")",
                    e);
        }
    }
}
