package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdmissionCheckerTest {
    @TempDir private Path folder;

    private TinyPool pool;

    @BeforeEach
    void pool() {
        pool = new TinyPool(folder);
    }

    @Test
    void aGoodExpertMayJoin() {
        for (String task : TinyPool.TASKS) {
            assertThat(check(task, pool.expert(task), pool.taskFolder(task))).isEmpty();
        }
    }

    @Test
    void whatSpeaksAgainstAnExpertIsListedAtOnce() throws IOException {
        poison(pool.expert("spam").resolve("model.safetensors"));
        rewrite(pool.taskFolder("spam").resolve("task.yaml"), "accuracy", "applause");
        assertThat(check("spam", pool.expert("spam"), pool.taskFolder("spam")))
                .extracting(Fault::code)
                .containsExactlyInAnyOrder(FailureCode.UNKNOWN_METRIC, FailureCode.NON_FINITE);
    }

    @Test
    void anExpertOfAnotherTasksLabelsIsRefused() {
        List<Fault> faults = check("spam", pool.expert("nouns"), pool.taskFolder("spam"));
        assertThat(faults).extracting(Fault::code).containsOnly(FailureCode.LABELS_MISMATCH);
        assertThat(faults)
                .extracting(Fault::toString)
                .anyMatch(
                        f -> f.contains("[spam classifier.weight] has shape [4, 32], expected 3"));
    }

    @Test
    void aDefinitionOfAnotherTaskIsRefused() {
        assertThat(check("hedges", pool.expert("spam"), pool.taskFolder("spam")))
                .extracting(Fault::toString)
                .containsExactly("[hedges] the definition is of task 'spam', expected 'hedges'");
    }

    @Test
    void emptyOrUnreadableCalibrationIsRefused() throws IOException {
        Files.writeString(pool.taskFolder("spam").resolve("calibration.jsonl"), "");
        assertThat(check("spam", pool.expert("spam"), pool.taskFolder("spam")))
                .extracting(Fault::code)
                .containsExactly(FailureCode.CALIBRATION_EMPTY);
        Files.writeString(pool.taskFolder("spam").resolve("calibration.jsonl"), "{\"words\": 1}");
        assertThat(check("spam", pool.expert("spam"), pool.taskFolder("spam")))
                .extracting(Fault::code)
                .containsExactly(FailureCode.CALIBRATION_UNREADABLE);
    }

    @Test
    void aTruncatedFileIsRefusedTogetherWithItsTasksFaults() throws IOException {
        Path file = pool.expert("spam").resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length / 2));
        Files.delete(pool.taskFolder("spam").resolve("task.yaml"));
        assertThat(check("spam", pool.expert("spam"), pool.taskFolder("spam")))
                .extracting(Fault::code)
                .contains(FailureCode.CORRUPT_CHECKPOINT)
                .hasSize(2);
    }

    @Test
    void anExpertOfAnotherBaseIsRefusedFromItsHeaders() throws IOException {
        rewrite(
                pool.expert("spam").resolve("config.json"),
                "\"num_hidden_layers\": 2",
                "\"num_hidden_layers\": 3");
        assertThat(check("spam", pool.expert("spam"), pool.taskFolder("spam")))
                .extracting(Fault::toString)
                .containsExactly(
                        "[spam config.json] num_hidden_layers is 3, expected 2 as in the base:"
                                + " tuned from another model?");
    }

    /// Arithmetic would take it, but nobody could score it.
    @Test
    void anArchitectureThatCannotRunIsRefusedWithThoseThatCan() throws IOException {
        for (Path model : List.of(pool.base(), pool.expert("spam"))) {
            rewrite(
                    model.resolve("config.json"),
                    "\"model_type\": \"bert\"",
                    "\"model_type\": \"mamba\"");
        }
        assertThat(check("spam", pool.expert("spam"), pool.taskFolder("spam")))
                .extracting(Fault::toString)
                .anySatisfy(fault ->
                        assertThat(fault)
                                .contains("mamba")
                                .contains("bert")
                                .contains("qwen2")
                                .contains("t5")
                                .contains("clip"));
    }

    @Test
    void anExpertThatChoosesSeveralLabelsIsRefused() throws IOException {
        rewrite(
                pool.expert("spam").resolve("config.json"),
                "single_label_classification",
                "multi_label_classification");
        assertThat(check("spam", pool.expert("spam"), pool.taskFolder("spam")))
                .extracting(Fault::toString)
                .containsExactly(
                        "[spam config.json] problem_type is multi_label_classification, expected"
                                + " single_label_classification: one label is right, and chances add"
                                + " up to 1");
    }

    private List<Fault> check(String task, Path expert, Path taskFolder) {
        try (Checkpoint base = Checkpoint.open(pool.base())) {
            return AdmissionChecker.check(base, task, expert, taskFolder);
        }
    }

    private static void rewrite(Path file, String from, String to) throws IOException {
        String text = Files.readString(file);
        assertThat(text).contains(from);
        Files.writeString(file, text.replace(from, to));
    }

    /// Makes the last number of a file a NaN.
    private static void poison(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(bytes.length - 4, Float.NaN);
        Files.write(file, bytes);
    }
}
