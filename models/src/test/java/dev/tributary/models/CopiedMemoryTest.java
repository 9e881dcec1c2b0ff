package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// An engine whose memory is not Java's, as on a graphics card.
class CopiedMemoryTest {
    @TempDir Path folder;

    /// Fine-tunes a toy, all of it, and tells the digest of what comes out.
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            ModelDevice.refuseUnlessPresent();
            Path folder = Path.of(arguments[0]);
            System.out.printf("shared=%s%n", TorchEngine.sharesMemory());
            System.out.printf("weights=%s%n", fineTuned(folder));
        }
    }

    private static Digest fineTuned(Path folder) {
        Path base = ToyTask.writeBase(folder.resolve("base"), false);
        TaskDefinition task = ToyTask.write(folder.resolve("task"));
        Path expert = folder.resolve("expert");
        new FineTuner(
                        FineTuning.defaults()
                                .withEpochs(3)
                                .withLearningRates(2e-3, 5e-3)
                                .withFrozenEmbeddings(false),
                        FineTuningProgress.SILENT)
                .run(base, task, expert);
        return Digest.of(expert.resolve("model.safetensors"));
    }

    @Test
    void learnsTheSameBytes() throws Exception {
        Digest expected = fineTuned(folder.resolve("here"));

        assertThat(output("cpu:copied")).contains("shared=false").contains("weights=" + expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "tpu | [tributary.device] is tpu, expected cpu, cuda or cuda:N",
                "cuda:x | [tributary.device] is cuda:x, expected cpu, cuda or cuda:N",
                "cuda:1 | [tributary.device] is cuda:1, the engine here has no CUDA: build with -Pcuda, or take cpu",
            })
    void aDeviceThatIsNotThereIsRefused(String device, String reason) throws Exception {
        assertThat(output(device)).contains(reason);
    }

    private String output(String device) throws IOException, InterruptedException {
        Path told = folder.resolve("told");
        Process process =
                new ProcessBuilder(
                                List.of(
                                        Path.of(System.getProperty("java.home"), "bin", "java")
                                                .toString(),
                                        "--add-modules=jdk.incubator.vector",
                                        "--enable-native-access=ALL-UNNAMED",
                                        "-Dtributary.threads=1",
                                        "-Dtributary.device=" + device,
                                        "-cp",
                                        System.getProperty("java.class.path"),
                                        Child.class.getName(),
                                        folder.resolve("there").toString()))
                        .redirectErrorStream(true)
                        .redirectOutput(told.toFile())
                        .start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        String output = Files.readString(told);
        return output;
    }
}
