package dev.tributary.eval;

import dev.tributary.tensors.JvmFlags;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;
import java.util.Optional;

/// Starts the program, or says in one sentence why it cannot run on this JVM.
@QuarkusMain
public class EvalWorkerMain {
    private static final int UNUSABLE_JVM = 2;

    /// Starts it; takes no arguments.
    public static void main(String... arguments) {
        Optional<String> complaint = JvmFlags.complaint();
        if (complaint.isPresent()) {
            System.err.println(complaint.get());
            System.exit(UNUSABLE_JVM);
        }
        Quarkus.run(arguments);
    }
}
