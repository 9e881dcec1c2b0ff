package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TorchEngineTest {
    /// What the child JVM runs.
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            System.out.println("threads=" + TorchEngine.threads());
        }
    }

    @Test
    void waitingThreadsDoNotSpinAndTheThreadCountIsTheOneAskedFor() throws Exception {
        assertThat(output("-Dtributary.threads=3"))
                .contains("threads=3")
                .contains("GOMP_SPINCOUNT = '0'");
    }

    @Test
    void noThreadsAreRefused() throws Exception {
        assertThat(output("-Dtributary.threads=0")).contains("[-Dtributary.threads] 0");
    }

    /// The output of a JVM whose environment says nothing about spinning.
    private static String output(String threads) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--add-modules=jdk.incubator.vector");
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add(threads);
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(Child.class.getName());
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().remove("GOMP_SPINCOUNT");
        builder.environment().put("OMP_DISPLAY_ENV", "VERBOSE");
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return output;
    }
}
