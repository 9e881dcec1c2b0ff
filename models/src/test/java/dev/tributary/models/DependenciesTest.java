package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class DependenciesTest {
    private static final Iterable<JavaClass> CLASSES =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages("dev.tributary.models");

    @Test
    void noPublicSignatureNamesATypeOfTheEngine() {
        List<String> found =
                publicMembers()
                        .flatMap(member -> types(member).map(type -> member + ": " + type))
                        .filter(line -> line.contains(": ai.djl."))
                        .toList();

        assertThat(publicMembers().count()).isGreaterThan(50);
        assertThat(found).isEmpty();
    }

    @Test
    void nothingHereKnowsKafkaQuarkusOrAvro() {
        for (JavaClass type : CLASSES) {
            assertThat(type.getDirectDependenciesFromSelf())
                    .extracting(dependency -> dependency.getTargetClass().getPackageName())
                    .noneMatch(name ->
                            name.startsWith("org.apache.kafka")
                                    || name.startsWith("io.quarkus")
                                    || name.startsWith("org.apache.avro"));
        }
    }

    private static Stream<JavaMember> publicMembers() {
        return java.util.stream.StreamSupport.stream(CLASSES.spliterator(), false)
                .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
                .flatMap(type -> type.getMembers().stream())
                .filter(member ->
                        member.getModifiers().contains(JavaModifier.PUBLIC)
                                || member.getModifiers().contains(JavaModifier.PROTECTED));
    }

    private static Stream<String> types(JavaMember member) {
        return switch (member) {
            case JavaCodeUnit unit ->
                    Stream.concat(
                                    unit.getRawParameterTypes().stream(),
                                    Stream.of(unit.getRawReturnType()))
                            .map(JavaClass::getName);
            case JavaField field -> Stream.of(field.getRawType().getName());
            default -> Stream.empty();
        };
    }
}
