package raft.shell;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

import org.junit.jupiter.api.Test;

/** Commands drive the harness; they know neither the engine's client nor the algorithm. */
final class ArchitectureTest {
    private static final JavaClasses SHELL =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("raft");

    @Test
    void shellSeesOnlyTheHarnessAndTheClientProtocol() {
        noClasses()
                .that()
                .resideInAPackage("raft.shell..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "raft.core..",
                        "raft.kv..",
                        "raft.storage..",
                        "raft.peer..",
                        "raft.node..",
                        "com.github.dockerjava..")
                .check(SHELL);
    }

    @Test
    void nothingPointsBack() {
        noClasses()
                .that()
                .resideInAPackage("raft.harness..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("raft.shell..")
                .check(SHELL);
    }
}
