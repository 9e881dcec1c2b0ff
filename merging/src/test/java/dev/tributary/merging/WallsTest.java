package dev.tributary.merging;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/// Merging knows models and tensors, and nothing of what carries or runs them.
class WallsTest {
    private final JavaClasses merging =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.tributary.merging");

    @Test
    void mergingKnowsNoBrokerNoFrameworkAndNoEngine() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.apache..", "io.quarkus..", "jakarta..", "ai.djl..")
                .check(merging);
    }

    @Test
    void mergingDependsOnModelsAndTensorsAlone() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "dev.tributary.merging..",
                        "dev.tributary.models..",
                        "dev.tributary.tensors..",
                        "com.fasterxml.jackson..",
                        "org.bytedeco..",
                        "org.jspecify..",
                        "jdk.incubator.vector..",
                        "java..")
                .check(merging);
    }

    @Test
    void onlyOneClassCallsTheNativeLinearAlgebra() {
        noClasses()
                .that()
                .haveNameNotMatching(".*\\.LinearAlgebra(\\$.*)?")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.bytedeco..")
                .check(merging);
    }

    @Test
    void methodsKnowNothingOfHowAMergeIsPlannedOrCarriedOut() {
        noClasses()
                .that()
                .resideInAPackage("dev.tributary.merging.method..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.tributary.merging")
                .check(merging);
    }
}
