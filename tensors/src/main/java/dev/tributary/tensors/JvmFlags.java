package dev.tributary.tensors;

import java.util.Optional;

/// Whether this JVM was started as every program of the project has to be. Without the module of
/// the vector instructions all would be computed alike, but many times slower, which nobody would
/// notice: so it is told at once.
public final class JvmFlags {
    private static final String VECTORS = "jdk.incubator.vector";

    private JvmFlags() {}

    /// What is wrong, in one sentence; empty when nothing is.
    public static Optional<String> complaint() {
        return ModuleLayer.boot().findModule(VECTORS).isPresent()
                ? Optional.empty()
                : Optional.of(
                        "[jvm] runs without the module %s, expected it: start java with --add-modules %s --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow"
                                .formatted(VECTORS, VECTORS));
    }
}
