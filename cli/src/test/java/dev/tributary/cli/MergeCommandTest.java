package dev.tributary.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.tributary.merging.MergeExecutor;
import dev.tributary.merging.Recipe;
import dev.tributary.merging.ScaleChoice;
import dev.tributary.merging.ScaleGrid;
import dev.tributary.merging.method.MethodCatalogue;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.TensorSpec;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The output of a merge is whole or not there, however the run before ended.
class MergeCommandTest {
    private static final int TENSORS = 12;
    private static final int ELEMENTS = 1 << 18;

    @TempDir private Path folder;

    private Path recipe = Path.of("recipe.yaml");
    private Path outputs = Path.of(".");

    @BeforeEach
    void models() throws IOException {
        for (String name : List.of("base", "one", "two")) {
            model(folder.resolve(name), name.hashCode());
        }
        recipe =
                Files.writeString(
                        folder.resolve("recipe.yaml"),
                        """
                        merge_method: task_arithmetic
                        base_model: base
                        models:
                          - model: one
                            parameters: {weight: 0.5}
                          - model: two
                            parameters: {weight: 0.5}
                        """);
        outputs = Files.createDirectory(folder.resolve("outputs"));
    }

    private static void model(Path directory, long seed) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), "{\"model_type\": \"arrows\"}");
        Random random = new Random(seed);
        List<TensorSpec> specs =
                IntStream.range(0, TENSORS)
                        .mapToObj(i -> "layers.%d.weight".formatted(i))
                        .map(name -> new TensorSpec(name, Dtype.F32, List.of((long) ELEMENTS)))
                        .toList();
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        directory.resolve("model.safetensors"), specs, CheckpointWriter.PYTORCH)) {
            for (String name : writer.tensors().keySet()) {
                float[] values = new float[ELEMENTS];
                for (int i = 0; i < values.length; i++) {
                    values[i] = random.nextFloat();
                }
                writer.write(name, MemorySegment.ofArray(values));
            }
            writer.finish();
        }
    }

    /// Merges, but stops half-way, says so, and waits for its end.
    static final class HalfWay {
        private HalfWay() {}

        public static void main(String[] arguments) {
            MergeCommand command = new MergeCommand();
            command.out = Path.of(arguments[1]);
            command.merge(Recipe.read(Path.of(arguments[0])), Terminal.beside(), HalfWay::wait);
        }

        private static void wait(String stage, long done, long total) {
            if (stage.equals(MergeExecutor.STAGE) && 2 * done >= total) {
                System.out.println("half");
                try {
                    System.in.read();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    /// A run in a process of its own that has come half-way.
    private Process halfWay(Path out) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--add-modules", "jdk.incubator.vector", "-XX:+UseSerialGC"));
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Xmx256m"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(HalfWay.class.getName(), recipe.toString(), out.toString()));
        Process process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        BufferedReader output = process.inputReader();
        assertThat(output.readLine()).isEqualTo("half");
        return process;
    }

    private record Run(int code, String err) {}

    private Run run(Path out) {
        StringWriter err = new StringWriter();
        int code =
                Tributary.commandLine()
                        .setErr(new PrintWriter(err, true))
                        .execute("merge", recipe.toString(), "--out", out.toString());
        return new Run(code, err.toString());
    }

    /// Merges in this process; answers what a person reads beside the output.
    private String merge(Path out) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Terminal terminal =
                new Terminal(new PrintStream(bytes, true, StandardCharsets.UTF_8), false);
        MergeCommand command = new MergeCommand();
        command.out = out;
        command.merge(Recipe.read(recipe), terminal, Progress.SILENT);
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void aRunThatIsKilledHalfWayLeavesNoOutputAndTheNextOneStartsAnew() throws Exception {
        Path out = outputs.resolve("merged");
        Process process = halfWay(out);
        process.destroyForcibly();
        process.waitFor();
        assertThat(out).doesNotExist();
        assertThat(names(outputs)).containsExactly(".merged.lock", ".merged.partial");

        assertThat(merge(out)).contains("was interrupted: what it left was removed, starting anew");

        assertThat(names(outputs)).containsExactly("merged");
        Path undisturbed = outputs.resolve("undisturbed");
        assertThat(merge(undisturbed)).isEmpty();
        for (String file : names(undisturbed)) {
            assertThat(out.resolve(file)).hasSameBinaryContentAs(undisturbed.resolve(file));
        }
        assertThat(names(out)).isEqualTo(names(undisturbed));
    }

    @Test
    void aRunThatIsToldToEndTidiesUpItself() throws Exception {
        Path out = outputs.resolve("merged");
        Process process = halfWay(out);
        process.destroy();
        assertThat(process.waitFor()).isNotZero();
        assertThat(names(outputs)).isSubsetOf(".merged.lock");

        assertThat(merge(out)).isEmpty();

        assertThat(names(outputs)).containsExactly("merged");
    }

    @Test
    void aSecondRunToTheSameOutputIsRefusedWhileTheFirstIsAtIt() throws Exception {
        Path out = outputs.resolve("merged");
        Process process = halfWay(out);
        try {
            Run second = run(out);
            assertThat(second.code()).isEqualTo(Tributary.REFUSED);
            assertThat(second.err())
                    .contains(
                            "is being written by another run (process %d): wait for it, or choose"
                                            .formatted(process.pid())
                                    + " another name");
            assertThat(outputs.resolve(".merged.partial")).isNotEmptyDirectory();
        } finally {
            process.outputWriter().close(); // it goes on
        }
        assertThat(process.waitFor()).isZero();
        assertThat(names(outputs)).containsExactly("merged");
        assertThat(run(out).err()).contains("exists already, expected a new directory");
    }

    @Test
    void aFolderOfSomebodyElsesIsNotRemoved() throws IOException {
        Path own = Files.createDirectory(outputs.resolve(".merged.partial"));
        Files.writeString(own.resolve("notes.txt"), "mine");
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class, () -> merge(outputs.resolve("merged")));
        assertThat(refused).hasMessageContaining("is of no run of ours: remove it");
        assertThat(own.resolve("notes.txt")).hasContent("mine");
        assertThat(names(outputs)).containsExactly(".merged.partial");
    }

    @Test
    void aDiskThatIsFullLeavesNothing() throws Exception {
        Path disk = Files.createDirectory(folder.resolve("disk"));
        boolean mounted =
                system("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk.toString()) == 0;
        assumeThat(mounted).as("a small file system can be mounted here").isTrue();
        try {
            RefusedException refused =
                    catchThrowableOfType(
                            RefusedException.class, () -> merge(disk.resolve("merged")));
            assertThat(refused.faults().getFirst().code()).isEqualTo(FailureCode.NO_SPACE);
            assertThat(names(disk)).isEmpty();
        } finally {
            assertThat(system("umount", disk.toString())).isZero();
        }
    }

    private static int system(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    @Test
    void everyValueOfAScaleIsToldWithItsScoreAndTheChosenOneAtTheEnd() {
        ScaleGrid grid =
                new ScaleGrid(
                        MethodCatalogue.find("iso_c").orElseThrow().scale().orElseThrow(),
                        List.of(1.0, 0.5),
                        ScaleGrid.Score.METRIC,
                        100);
        ScaleChoice tuning =
                new ScaleChoice(
                        grid,
                        new TreeMap<>(),
                        new TreeMap<>(),
                        List.of(
                                new ScaleChoice.Candidate(0.5, 0.75, new TreeMap<>()),
                                new ScaleChoice.Candidate(1, 0.61234, new TreeMap<>())));
        assertThat(MergeCommand.scores(tuning))
                .isEqualTo("alpha by metric score: 0.5 0.7500, 1.0 0.6123; chosen 0.5");
    }
}
