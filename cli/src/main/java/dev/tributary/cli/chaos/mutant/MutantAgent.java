package dev.tributary.cli.chaos.mutant;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.ProtectionDomain;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Puts a bug into the program it is started with: `-javaagent:JAR=MUTANT:FILE`, where the file
/// gets a line when the class that has it is loaded.
public final class MutantAgent {
    private static final int NOT_APPLIED = 97;

    private MutantAgent() {}

    public static void premain(String argument, Instrumentation instrumentation) {
        int colon = argument.indexOf(':');
        instrumentation.addTransformer(
                new Transformer(
                        Mutant.valueOf(argument.substring(0, colon)),
                        Path.of(argument.substring(colon + 1))));
    }

    private record Transformer(Mutant mutant, Path log) implements ClassFileTransformer {

        @Override
        public byte @Nullable [] transform(
                @Nullable ClassLoader loader,
                @Nullable String name,
                @Nullable Class<?> redefined,
                @Nullable ProtectionDomain domain,
                byte[] bytes) {
            if (name == null || !mutant.className().equals(name.replace('/', '.'))) {
                return null;
            }
            try {
                byte[] mutated =
                        mutant.applyTo(
                                bytes,
                                ClassHierarchyResolver.ofResourceParsing(
                                        Objects.requireNonNull(loader)));
                Files.writeString(
                        log, mutant + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
                return mutated;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (RuntimeException | Error e) {
                // The JVM would go on with the sound class.
                System.err.println("[%s] cannot be applied: %s".formatted(mutant, e));
                Runtime.getRuntime().halt(NOT_APPLIED);
                throw e;
            }
        }
    }

    /// How classes are read and written.
    static ClassFile classFile(ClassHierarchyResolver types) {
        return ClassFile.of(ClassFile.ClassHierarchyResolverOption.of(types));
    }
}
