package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Progress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Merges on an engine whose memory is not Java's, as on a graphics card.
class CopiedMemoryTest {
    private static final List<String> METHODS =
            List.of("divmerge", "adamerging", "fisher", "regmean", "lot", "cat", "tatr");

    @TempDir Path folder;

    /// Merges by every method that runs models and tells the digest of each merge.
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) {
            digests(Path.of(arguments[0])).forEach(System.out::println);
        }
    }

    private static List<String> digests(Path folder) {
        TinyPool pool = new TinyPool(folder);
        List<String> digests = new ArrayList<>();
        for (String id : METHODS) {
            Path target = folder.resolve("out-" + id);
            MergeMethod method =
                    MergeMethod.of(
                            id,
                            id.equals("divmerge") || id.equals("adamerging")
                                    ? Map.of("max_steps", "6", "calibration_items", "10")
                                    : Map.of());
            PoolMerger.merge(
                    pool.request(method, target, "spam", "hedges", "nouns"), Progress.SILENT);
            digests.add(id + " " + Digest.of(target.resolve("model.safetensors")));
        }
        return digests;
    }

    @Test
    void theBytesAreTheSame() throws Exception {
        List<String> command =
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--add-modules=jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dtributary.threads=1",
                        "-Dtributary.device=cpu:copied",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Child.class.getName(),
                        folder.resolve("there").toString());
        Path told = folder.resolve("told");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(told.toFile())
                        .start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        String output = Files.readString(told);

        assertThat(output).contains(digests(folder.resolve("here")));
    }
}
