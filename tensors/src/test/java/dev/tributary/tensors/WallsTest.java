package dev.tributary.tensors;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/// Tensors are files, memory and arithmetic: they know no engine, broker, schema or framework.
class WallsTest {
    private final JavaClasses tensors =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.tributary.tensors");

    @Test
    void tensorsKnowNoEngineNoBrokerNoSchemaAndNoFramework() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "ai.djl..",
                        "org.apache.kafka..",
                        "org.apache.avro..",
                        "io.quarkus..",
                        "jakarta..")
                .check(tensors);
    }

    @Test
    void tensorsDependOnTheJdkAndJacksonAlone() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "dev.tributary.tensors..",
                        "com.fasterxml.jackson..",
                        "jdk.incubator.vector..",
                        "org.jspecify..",
                        "java..")
                .check(tensors);
    }

    /// A program started without the incubating module still has to load everything else.
    @Test
    void onlyTheVectorKernelsTouchTheIncubatingModule() {
        noClasses()
                .that()
                .haveSimpleNameNotStartingWith("Vector")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("jdk.incubator..")
                .check(tensors);
    }
}
