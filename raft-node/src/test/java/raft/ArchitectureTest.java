package raft;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;

import org.junit.jupiter.api.Test;

/** The arrows of ARCHITECTURE.md, and the purity of what the simulator will run. */
final class ArchitectureTest {
    private static final JavaClasses NODE =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("raft");

    private static final String[] PLAIN_JAVA = {"java.lang..", "java.util..", "org.jspecify.."};

    /**
     * Set.of, Map.of and their like: their order of iteration changes with every start of the JVM.
     */
    private static final DescribedPredicate<JavaMethodCall> ITERATES_DIFFERENTLY_EACH_START =
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
    void coreDependsOnNothing() {
        onlySees("raft.core", "raft.core");
    }

    @Test
    void clientProtocolDependsOnNothing() {
        onlySees("raft.client", "raft.client");
    }

    @Test
    void stateMachineSeesOnlyTheClientProtocol() {
        onlySees("raft.kv", "raft.kv", "raft.client");
    }

    @Test
    void storageAndPeersSeeOnlyTheCore() {
        onlySees("raft.storage", "raft.storage", "raft.core");
        onlySees("raft.peer", "raft.peer", "raft.core");
    }

    private static void onlySees(String owner, String... allowed) {
        noClasses()
                .that()
                .resideInAPackage(owner)
                .should()
                .dependOnClassesThat(
                        new DescribedPredicate<JavaClass>(
                                "are of ours beyond " + String.join(", ", allowed)) {
                            @Override
                            public boolean test(JavaClass seen) {
                                return seen.getPackageName().startsWith("raft")
                                        && !java.util.List.of(allowed)
                                                .contains(seen.getPackageName());
                            }
                        })
                .check(NODE);
    }

    @Test
    void nothingGoesRoundInCircles() {
        SlicesRuleDefinition.slices().matching("raft.(*)..").should().beFreeOfCycles().check(NODE);
    }

    /** A state is read from what it is handed; these can open nothing by themselves. */
    private static final java.util.List<String> READ_FROM =
            java.util.List.of(
                    "java.io.InputStream", "java.io.DataInputStream", "java.io.IOException");

    @Test
    void coreAndStateMachineUseNothingButPlainJava() {
        for (String owner : new String[] {"raft.core", "raft.kv"}) {
            classes()
                    .that()
                    .resideInAPackage(owner)
                    .should()
                    .onlyDependOnClassesThat(
                            new DescribedPredicate<JavaClass>("are plain Java") {
                                @Override
                                public boolean test(JavaClass seen) {
                                    return seen.isPrimitive()
                                            || seen.isArray()
                                            || seen.getPackageName().startsWith("raft.")
                                            || seen.getPackageName().equals("java.nio.charset")
                                            || seen.getPackageName().equals("java.nio")
                                            || READ_FROM.contains(seen.getFullName())
                                            || java.util.Arrays.stream(PLAIN_JAVA)
                                                    .anyMatch(
                                                            plain ->
                                                                    seen.getPackageName()
                                                                            .startsWith(
                                                                                    plain.substring(
                                                                                            0,
                                                                                            plain
                                                                                                            .length()
                                                                                                    - 2)));
                                }
                            })
                    .check(NODE);
        }
    }

    /**
     * What would make two runs of one seed differ: clocks, threads, and everything whose order
     * changes from run to run.
     */
    @Test
    void coreAndStateMachineAreDeterministic() {
        for (String owner : new String[] {"raft.core", "raft.kv"}) {
            noClasses()
                    .that()
                    .resideInAPackage(owner)
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
                    .callMethodWhere(ITERATES_DIFFERENTLY_EACH_START)
                    .orShould()
                    .dependOnClassesThat()
                    .haveFullyQualifiedName("java.util.HashSet")
                    .orShould()
                    .dependOnClassesThat()
                    .haveFullyQualifiedName("java.util.IdentityHashMap")
                    .orShould()
                    .dependOnClassesThat()
                    .resideInAPackage("java.util.concurrent..")
                    .orShould()
                    .dependOnClassesThat()
                    .resideInAPackage("java.time..")
                    .check(NODE);
        }
    }

    @Test
    void onlyTheTransitionsOfFigure4SetTheRole() {
        noClasses()
                .that()
                .resideInAPackage("raft.core")
                .and()
                .doNotHaveSimpleName("Transitions")
                .should()
                .callMethodWhere(
                        new DescribedPredicate<JavaMethodCall>("sets the role") {
                            @Override
                            public boolean test(JavaMethodCall call) {
                                return call.getTargetOwner().getSimpleName().equals("State")
                                        && call.getName().equals("role")
                                        && !call.getTarget().getRawParameterTypes().isEmpty();
                            }
                        })
                .check(NODE);
    }

    @Test
    void onlyTheProcessHasThreadsAndClocks() {
        noClasses()
                .that()
                .resideInAnyPackage("raft.storage", "raft.peer", "raft.core", "raft.kv")
                .should()
                .dependOnClassesThat()
                .areAssignableTo(Thread.class)
                .orShould()
                .callMethod(System.class, "nanoTime")
                .check(NODE);
    }
}
