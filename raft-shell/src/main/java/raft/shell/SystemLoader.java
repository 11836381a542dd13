package raft.shell;

import raft.harness.etcd.EtcdSystem;
import raft.harness.system.SystemUnderTest;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** Finds a system under test by name: those of this software, and those of a user's jar. */
final class SystemLoader {
    private SystemLoader() {}

    /**
     * The system of this name, configured.
     *
     * @param path jars or folders with services of {@link SystemUnderTest}; may be empty
     * @throws IllegalArgumentException with one sentence that says what is wrong
     */
    static SystemUnderTest load(String name, String path, Map<String, String> options) {
        Map<String, SystemUnderTest> known = new TreeMap<>();
        SystemUnderTest etcd = new EtcdSystem(Home.folder().resolve("docker/systems/etcd"));
        known.put(etcd.name(), etcd);
        for (SystemUnderTest other : ofPath(path)) {
            known.put(other.name(), other);
        }
        SystemUnderTest system = known.get(name);
        if (system == null) {
            throw new IllegalArgumentException(
                    "no system is called '"
                            + name
                            + "'; there are raft, "
                            + String.join(", ", known.keySet())
                            + " (--system-path adds others, --image takes any node that speaks"
                            + " raft-node/PROTOCOL.md)");
        }
        system.configure(options);
        return system;
    }

    private static List<SystemUnderTest> ofPath(String path) {
        if (path.isEmpty()) {
            return List.of();
        }
        List<URL> urls = new ArrayList<>();
        for (String entry : path.split(File.pathSeparator, -1)) {
            Path place = Path.of(entry);
            if (!Files.exists(place)) {
                throw new IllegalArgumentException("there is nothing at --system-path " + entry);
            }
            try {
                urls.add(place.toUri().toURL());
            } catch (MalformedURLException e) {
                throw new IllegalArgumentException("cannot read --system-path " + entry, e);
            }
        }
        // Not closed: the system's code is loaded from it as long as the run lasts.
        var loader =
                new URLClassLoader(urls.toArray(new URL[0]), SystemLoader.class.getClassLoader());
        try {
            return ServiceLoader.load(SystemUnderTest.class, loader).stream()
                    .map(ServiceLoader.Provider::get)
                    .toList();
        } catch (ServiceConfigurationError e) {
            throw new IllegalArgumentException(
                    "the systems of --system-path " + path + " cannot be made: " + e.getMessage(),
                    e);
        }
    }
}
