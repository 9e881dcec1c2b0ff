package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class JvmFlagsTest {
    @Test
    void theTestsRunWithAllFlags() {
        assertThat(JvmFlags.complaint()).isEmpty();
    }

    @Test
    void aJvmWithoutTheVectorModuleIsToldInOneSentence() throws IOException {
        try (ChildJvm child = ChildJvm.start(Complaint.class)) {
            assertThat(child.line())
                    .startsWith("[jvm] runs without the module jdk.incubator.vector")
                    .contains("--add-modules jdk.incubator.vector");
        }
    }

    /// Prints what a JVM has to complain of.
    static final class Complaint {
        private Complaint() {}

        public static void main(String[] arguments) {
            System.out.println(JvmFlags.complaint().orElse("nothing"));
        }
    }
}
