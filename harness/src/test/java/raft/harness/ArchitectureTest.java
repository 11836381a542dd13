package raft.harness;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.ArrayList;
import java.util.List;

/** The arrows of ARCHITECTURE.md. */
final class ArchitectureTest {
    private static final JavaClasses HARNESS =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("raft");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "nothing",
            value = {
                "history | nothing",
                "model | history",
                "checker | history model",
                "workload | history",
                "nemesis | nothing",
                "cluster | history nemesis",
                "protocol | history cluster client",
                "system | history nemesis cluster",
                "etcd | history nemesis cluster system",
                "docker | history nemesis cluster protocol system client",
                "report | history checker",
                "serve | report",
                "nightly | report",
            })
    void packageSeesOnlyWhatItsArrowsAllow(String owner, String allowed) {
        List<String> seen = new ArrayList<>(List.of("raft.harness." + owner));
        if (allowed != null) {
            for (String word : allowed.strip().split(" ")) {
                seen.add(word.equals("client") ? "raft.client" : "raft.harness." + word);
            }
        }
        noClasses()
                .that()
                .resideInAPackage("raft.harness." + owner)
                .should()
                .dependOnClassesThat(
                        new DescribedPredicate<JavaClass>("are of ours beyond " + seen) {
                            @Override
                            public boolean test(JavaClass target) {
                                return target.getPackageName().startsWith("raft.")
                                        && !seen.contains(target.getPackageName());
                            }
                        })
                .check(HARNESS);
    }

    @Test
    void nothingGoesRoundInCircles() {
        SlicesRuleDefinition.slices()
                .matching("raft.harness.(*)..")
                .should()
                .beFreeOfCycles()
                .check(HARNESS);
    }

    /** What a plan, a workload or a model decides must not depend on when it is asked. */
    @ParameterizedTest
    @CsvSource({"workload", "nemesis", "model"})
    void purePackagesHaveNoClockAndNoUnseededRandomness(String owner) {
        noClasses()
                .that()
                .resideInAPackage("raft.harness." + owner)
                .should()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(Math.class, "random")
                .orShould()
                .callConstructor(java.util.Random.class)
                .orShould()
                .callConstructor(java.util.SplittableRandom.class)
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Thread.class)
                .orShould()
                .dependOnClassesThat()
                .resideInAPackage("java.net..")
                .check(HARNESS);
    }
}
