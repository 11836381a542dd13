package raft.harness.sim;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;

import org.junit.jupiter.api.Test;

/** What would make two runs of one seed differ has no place in the simulated world. */
final class SimArchitectureTest {
    private static final JavaClasses SIM =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("raft.harness.sim");

    /** Their order of iteration changes with every start of the JVM. */
    private static final DescribedPredicate<JavaMethodCall> UNORDERED =
            new DescribedPredicate<>("makes an immutable set or map") {
                @Override
                public boolean test(JavaMethodCall call) {
                    String owner = call.getTargetOwner().getFullName();
                    String name = call.getName();
                    return (owner.equals("java.util.Set") || owner.equals("java.util.Map"))
                            && (name.equals("of")
                                    || name.equals("copyOf")
                                    || name.equals("ofEntries"));
                }
            };

    @Test
    void simulatedWorldIsDeterministic() {
        noClasses()
                .that()
                .resideInAPackage("raft.harness.sim.world")
                .should()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "identityHashCode", Object.class)
                .orShould()
                .callMethod(Math.class, "log", double.class)
                .orShould()
                .callMethod(java.util.UUID.class, "randomUUID")
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Thread.class)
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(java.util.Random.class)
                .orShould()
                .callMethodWhere(UNORDERED)
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.util.IdentityHashMap")
                .orShould()
                .dependOnClassesThat()
                .resideInAPackage("java.util.concurrent..")
                .orShould()
                .dependOnClassesThat()
                .resideInAPackage("java.time..")
                .check(SIM);
    }

    @Test
    void onlyTheWorldTouchesTheNodesClasses() {
        noClasses()
                .that()
                .resideInAPackage("raft.harness.sim")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "raft.core", "raft.kv", "raft.storage", "raft.harness.sim.world")
                .check(SIM);
    }
}
