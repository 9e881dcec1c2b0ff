package dev.tributary.merge;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;

/// Starts the program, or says in one sentence why it cannot run on this JVM.
@QuarkusMain
public class MergeWorkerMain {
    private static final int UNUSABLE_JVM = 2;
    private static final String VECTORS = "jdk.incubator.vector";

    /// Starts it; takes no arguments.
    public static void main(String... arguments) {
        if (ModuleLayer.boot().findModule(VECTORS).isEmpty()) {
            System.err.printf(
                    "[jvm] runs without the module %s, expected it: start with java --add-modules %s --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -jar quarkus-run.jar%n",
                    VECTORS, VECTORS);
            System.exit(UNUSABLE_JVM);
        }
        Quarkus.run(arguments);
    }
}
