package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TaskDefinitionTest {
    private static final String YAML =
            """
            name: mood
            kind: classification
            metric: macro_f1
            labels: [sad, glad]
            max_tokens: 48
            train: train.jsonl
            validation: data/val.jsonl
            """;

    @TempDir Path folder;

    @Test
    void aYamlFileIsRead() throws IOException {
        writeTask();

        TaskDefinition task = TaskDefinition.read(folder.resolve("task.yaml"));

        assertThat(task.name()).isEqualTo("mood");
        assertThat(task.kind()).isEqualTo(TaskKind.CLASSIFICATION);
        assertThat(task.metric()).isEqualTo(LabelMetric.MACRO_F1);
        assertThat(task.labels()).containsExactly("sad", "glad");
        assertThat(task.maxTokens()).isEqualTo(48);
        assertThat(task.files()).containsOnlyKeys(Split.TRAIN, Split.VALIDATION);
        assertThat(TaskDefinition.read(folder)).isEqualTo(task);
    }

    @Test
    void whatIsNotSaidHasADefault() throws IOException {
        write("task.yaml", "name: mood\nlabels: [a, b]\n");

        TaskDefinition task = TaskDefinition.read(folder);

        assertThat(task.metric()).isEqualTo(LabelMetric.ACCURACY);
        assertThat(task.maxTokens()).isEqualTo(TaskDefinition.DEFAULT_MAX_TOKENS);
        assertThat(task.files()).isEmpty();
    }

    @Test
    void aDataFolderWithMetaJsonIsATask() throws IOException {
        write("meta.json", "{\"task\": \"topic\", \"labels\": [\"x\", \"y\"], \"seed\": 17}");
        write("train.jsonl", "{\"text\": \"one\", \"label\": \"x\"}\n");
        write("val.jsonl", "{\"text\": \"two\", \"text_pair\": \"deux\", \"label\": \"y\"}\n");

        TaskDefinition task = TaskDefinition.read(folder);

        assertThat(task.name()).isEqualTo("topic");
        assertThat(task.metric()).isEqualTo(LabelMetric.ACCURACY);
        assertThat(task.files()).containsOnlyKeys(Split.TRAIN, Split.VALIDATION);
        assertThat(task.examples(Split.VALIDATION))
                .containsExactly(new Example("two", "deux", "y"));
    }

    @Test
    void everythingWrongWithADefinitionIsToldAtOnce() throws IOException {
        write(
                "task.yaml",
                """
                name: no/slash
                kind: poetry
                metric: bleu
                labels: [one, one]
                max_tokens: 0
                colour: blue
                validation: nowhere.jsonl
                calibration: nowhere.jsonl
                """);

        RefusedException refused = refused(() -> TaskDefinition.read(folder));

        assertThat(refused.faults())
                .extracting(Fault::code)
                .containsExactlyInAnyOrder(
                        FailureCode.BAD_TASK,
                        FailureCode.BAD_TASK,
                        FailureCode.UNKNOWN_METRIC,
                        FailureCode.BAD_TASK,
                        FailureCode.BAD_TASK,
                        FailureCode.BAD_TASK,
                        FailureCode.BAD_TASK,
                        FailureCode.CALIBRATION_UNREADABLE);
        assertThat(refused)
                .hasMessageContaining("metric is 'bleu'")
                .hasMessageContaining("unknown keys [colour]");
    }

    @Test
    void wherePathsLeadNowhereThereIsNoTask() {
        assertThat(refused(() -> TaskDefinition.read(folder.resolve("none"))).faults())
                .extracting(Fault::code)
                .containsExactly(FailureCode.UNKNOWN_TASK);
    }

    @Test
    void imagesBesideTheFileAreCarriedInWhatIsStaged() throws IOException {
        String yaml =
                """
                name: digits
                kind: image_classification
                labels: [zero, one]
                train: train.jsonl
                validation: train.jsonl
                """;
        write("task.yaml", yaml);
        Files.createDirectories(folder.resolve("images"));
        byte[] png = {(byte) 0x89, 'P', 'N', 'G', 1, 2, 3};
        Files.write(folder.resolve("images/a.png"), png);
        String uri = ImageData.uri(ImageData.Format.PNG, png);
        write(
                "train.jsonl",
                """
                {"file_name": "images/a.png", "label": 1}
                {"image": "%s", "label": "zero"}
                """
                        .formatted(uri));
        TaskDefinition task = TaskDefinition.read(folder);

        assertThat(task.examples(Split.TRAIN))
                .containsExactly(new Example(uri, null, "one"), new Example(uri, null, "zero"));
        assertThat(ImageData.file(uri)).contains(png);

        task.stage(folder.resolve("staged"), 2);
        TaskDefinition staged = TaskDefinition.readStaged(folder.resolve("staged"));
        assertThat(staged.kind()).isEqualTo(TaskKind.IMAGE_CLASSIFICATION);
        assertThat(staged.examples(Split.VALIDATION)).isEqualTo(task.examples(Split.VALIDATION));
        assertThat(staged.examples(Split.CALIBRATION))
                .containsExactly(new Example(uri, null, null), new Example(uri, null, null));
    }

    @Test
    void imagesElsewhereAndWhatIsNoneAreRefused() throws IOException {
        write(
                "pictures/task.yaml",
                "name: digits\nkind: image_classification\nlabels: [a, b]\ntrain: train.jsonl\n");
        write("secret.png", "secret");
        write("pictures/text.png", "no image");
        write(
                "pictures/train.jsonl",
                """
                {"image": "../secret.png", "label": "a"}
                {"image": "nowhere.png", "label": "a"}
                {"image": "text.png", "label": "a"}
                {"text": "words", "label": "a"}
                """);
        TaskDefinition task = TaskDefinition.read(folder.resolve("pictures"));

        assertThat(refused(() -> task.examples(Split.TRAIN)).faults())
                .extracting(Fault::sentence)
                .satisfiesExactly(
                        s -> assertThat(s).contains("'../secret.png' is not in the folder"),
                        s -> assertThat(s).contains("'nowhere.png' is not there"),
                        s -> assertThat(s).contains("'text.png' is none of [PNG, JPEG, GIF, BMP]"),
                        s -> assertThat(s).startsWith("no image, expected a file's name"));
    }

    @Test
    void everyBadLineOfAFileIsToldAtOnce() throws IOException {
        write("task.yaml", YAML);
        write("data/val.jsonl", "");
        write(
                "train.jsonl",
                """
                {"text": "fine", "label": "glad"}
                {"text": "numbered", "label": 0}
                {"text": "other", "label": "angry"}
                {"label": "glad"}
                not json
                {"text": "no label"}
                {"text": "out of range", "label": 2}
                """);

        RefusedException refused = refused(() -> TaskDefinition.read(folder).examples(Split.TRAIN));

        assertThat(refused.faults())
                .extracting(Fault::code)
                .containsExactly(
                        FailureCode.LABELS_MISMATCH,
                        FailureCode.BAD_TASK,
                        FailureCode.BAD_TASK,
                        FailureCode.BAD_TASK,
                        FailureCode.LABELS_MISMATCH);
        assertThat(refused.faults().getFirst().where()).endsWith("train.jsonl line 3");
    }

    @Test
    void aLabelMayBeGivenByItsNumber() throws IOException {
        write("task.yaml", YAML);
        write("data/val.jsonl", "");
        write("train.jsonl", "{\"text\": \"numbered\", \"label\": 1}\n");

        assertThat(TaskDefinition.read(folder).examples(Split.TRAIN))
                .containsExactly(new Example("numbered", null, "glad"));
    }

    @Test
    void anEmptyFileIsRefused() throws IOException {
        writeTask();
        write("data/val.jsonl", "\n\n");

        assertThat(refused(() -> TaskDefinition.read(folder).examples(Split.VALIDATION)).faults())
                .extracting(Fault::code)
                .containsExactly(FailureCode.BAD_TASK);
    }

    @Test
    void calibrationInputsLoseTheirLabels() throws IOException {
        writeTask();
        write("task.yaml", YAML + "calibration: calibration.jsonl\n");
        write("calibration.jsonl", "{\"text\": \"a\", \"label\": \"sad\"}\n{\"text\": \"b\"}\n");

        TaskDefinition task = TaskDefinition.read(folder);

        assertThat(task.examples(Split.CALIBRATION))
                .containsExactly(new Example("a", null, null), new Example("b", null, null));
        assertThat(task.calibration(5))
                .containsExactly(new Example("a", null, null), new Example("b", null, null));
    }

    @Test
    void aFewExamplesOfASortedFileAreOfEveryLabel() throws IOException {
        writeTask();
        StringBuilder sorted = new StringBuilder();
        for (int i = 0; i < 200; i++) {
            sorted.append(
                    "{\"text\": \"%d\", \"label\": \"%s\"}\n"
                            .formatted(i, i < 100 ? "sad" : "glad"));
        }
        write("data/val.jsonl", sorted.toString());
        TaskDefinition task = TaskDefinition.read(folder);

        List<Example> some = task.sample(Split.VALIDATION, 40);

        assertThat(some).hasSize(40).doesNotHaveDuplicates();
        assertThat(some).isEqualTo(task.sample(Split.VALIDATION, 40));
        assertThat(some)
                .filteredOn(example -> "sad".equals(example.label()))
                .hasSizeBetween(10, 30);
        assertThat(task.sample(Split.VALIDATION, 1000)).isEqualTo(task.examples(Split.VALIDATION));
    }

    @Test
    void withoutTrainingExamplesThereIsNothingToCalibrateWith() throws IOException {
        write("task.yaml", "name: mood\nlabels: [a, b]\n");

        assertThat(refused(() -> TaskDefinition.read(folder).calibration(10)).faults())
                .extracting(Fault::code)
                .containsExactly(FailureCode.CALIBRATION_EMPTY);
    }

    @Test
    void aStagedTaskHoldsNoTrainingLabelAndNoTestExample() throws IOException {
        writeTask();
        write("task.yaml", YAML + "test: test.jsonl\n");
        write("test.jsonl", "{\"text\": \"secret\", \"label\": \"sad\"}\n");
        Path staged = folder.resolve("staged");

        TaskDefinition.read(folder).stage(staged, 8);

        assertThat(names(staged))
                .containsExactlyInAnyOrder("task.yaml", "calibration.jsonl", "validation.jsonl");
        assertThat(Files.readString(staged.resolve("calibration.jsonl")))
                .hasLineCount(8)
                .doesNotContain("label", "secret");
        assertThat(Files.readString(staged.resolve("validation.jsonl")))
                .hasLineCount(5)
                .doesNotContain("secret");
        TaskDefinition read = TaskDefinition.readStaged(staged);
        assertThat(read.name()).isEqualTo("mood");
        assertThat(read.metric()).isEqualTo(LabelMetric.MACRO_F1);
        assertThat(read.files()).containsOnlyKeys(Split.CALIBRATION, Split.VALIDATION);
        assertThat(read.examples(Split.VALIDATION)).hasSize(5);
    }

    @Test
    void stagingTwiceGivesTheSameBytes() throws IOException {
        writeTask();
        TaskDefinition task = TaskDefinition.read(folder);

        task.stage(folder.resolve("one"), 6);
        task.stage(folder.resolve("two"), 6);

        assertThat(Digest.ofDirectory(folder.resolve("one")))
                .isEqualTo(Digest.ofDirectory(folder.resolve("two")));
    }

    @Test
    void theCalibrationSetOpensNoValidationFile() throws IOException {
        writeTask();
        Path staged = folder.resolve("staged");
        TaskDefinition.read(folder).stage(staged, 8);
        Files.delete(staged.resolve("validation.jsonl"));

        CalibrationSet set = CalibrationSet.read(staged);

        assertThat(set.task()).isEqualTo("mood");
        assertThat(set.maxTokens()).isEqualTo(48);
        assertThat(set.inputs()).hasSize(8).allMatch(input -> input.label() == null);
        assertThat(set.digest()).isEqualTo(Digest.of(staged.resolve("calibration.jsonl")));
    }

    @Test
    void aStagedTaskCannotPointOutsideItsFolder() throws IOException {
        writeTask();
        Path staged = folder.resolve("staged");
        TaskDefinition.read(folder).stage(staged, 8);
        Files.copy(folder.resolve("train.jsonl"), folder.resolve("outside.jsonl"));
        String definition = Files.readString(staged.resolve("task.yaml"));
        Files.writeString(
                staged.resolve("task.yaml"),
                definition.replace("\"calibration.jsonl\"", "\"../outside.jsonl\""));

        TaskDefinition read = TaskDefinition.readStaged(staged);

        assertThat(read.files().get(Split.CALIBRATION))
                .isEqualTo(staged.resolve("calibration.jsonl"));
    }

    @Test
    void anEmptyOrUnreadableCalibrationFileIsRefused() throws IOException {
        writeTask();
        Path staged = folder.resolve("staged");
        TaskDefinition.read(folder).stage(staged, 8);

        Files.writeString(staged.resolve("calibration.jsonl"), "");
        assertThat(refused(() -> CalibrationSet.read(staged)).faults())
                .extracting(Fault::code)
                .containsExactly(FailureCode.CALIBRATION_EMPTY);

        Files.writeString(staged.resolve("calibration.jsonl"), "{broken\n");
        assertThat(refused(() -> CalibrationSet.read(staged)).faults())
                .extracting(Fault::code)
                .containsExactly(FailureCode.CALIBRATION_UNREADABLE);
    }

    @Test
    void labelsInAnotherOrderDoNotFit() throws IOException {
        writeTask();
        TaskDefinition task = TaskDefinition.read(folder);

        assertThat(task.labelFaults(config("sad", "glad"), "x")).isEmpty();
        assertThat(task.labelFaults(config("LABEL_0", "LABEL_1"), "x")).isEmpty();
        assertThat(task.labelFaults(config("glad", "sad"), "x"))
                .extracting(Fault::code)
                .containsExactly(FailureCode.LABELS_MISMATCH);
        assertThat(task.labelFaults(config("LABEL_0", "LABEL_1", "LABEL_2"), "x")).hasSize(1);
    }

    @Test
    void anExampleWithoutALabelHasNoId() throws IOException {
        writeTask();
        TaskDefinition task = TaskDefinition.read(folder);

        assertThatThrownBy(() -> task.labelIds(List.of(new Example("a", null, null))))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static ModelConfig config(String... labels) {
        return new EncoderConfig(
                EncoderLayout.BERT,
                "BertForSequenceClassification",
                1,
                8,
                1,
                8,
                10,
                16,
                2,
                1e-12,
                Activation.GELU,
                0,
                List.of(labels));
    }

    private void writeTask() throws IOException {
        write("task.yaml", YAML);
        write("train.jsonl", lines(20));
        write("data/val.jsonl", lines(5));
    }

    private static String lines(int count) {
        return IntStream.range(0, count)
                .mapToObj("{\"text\": \"text %d\", \"label\": \"glad\"}\n"::formatted)
                .collect(Collectors.joining());
    }

    private void write(String name, String content) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
    }

    private static List<String> names(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private static RefusedException refused(
            org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        return catchThrowableOfType(RefusedException.class, call);
    }
}
