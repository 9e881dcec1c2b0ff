package dev.tributary.models;

import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// What a model is asked to do and how well it does it: labels, a metric and the files of examples.
///
/// @param name the task's name in events, folders and tables
/// @param kind what is asked
/// @param metric how answers are scored
/// @param labels in the order of their ids; the words to answer with, if there are such, where a
///   text is generated
/// @param maxTokens inputs are cut to so many tokens
/// @param generation how a text is asked for; null where one of the labels is chosen
/// @param files the examples by use; no entry where there are none
public record TaskDefinition(
        String name,
        TaskKind kind,
        Metric metric,
        List<String> labels,
        int maxTokens,
        @Nullable TextGeneration generation,
        Map<Split, Path> files) {

    /// Tokens inputs are cut to where a definition does not say.
    public static final int DEFAULT_MAX_TOKENS = 128;

    private static final long SAMPLE_SEED = 17;

    public TaskDefinition {
        labels = List.copyOf(labels);
        EnumMap<Split, Path> byUse = new EnumMap<>(Split.class);
        byUse.putAll(files);
        files = Collections.unmodifiableMap(byUse);
    }

    /// Reads a task definition: a YAML file, a folder with a `task.yaml`, or a folder with a
    /// `meta.json` (`task`, `labels`) and `train.jsonl`, `val.jsonl`, `test.jsonl`.
    ///
    /// @throws RefusedException with everything that is wrong with it
    public static TaskDefinition read(Path fileOrFolder) {
        return new TaskFile(fileOrFolder).read();
    }

    /// Reads a task that [TaskDefinition#stage] has written. Its files are the folder's own
    /// whatever the definition says, so that a staged task cannot reach outside its folder.
    ///
    /// @throws RefusedException with everything that is wrong with it
    public static TaskDefinition readStaged(Path folder) {
        return new TaskFile(folder).readStaged();
    }

    /// The examples for one use; the labels of calibration inputs are taken off.
    ///
    /// @throws RefusedException with every line that is wrong
    public List<Example> examples(Split split) {
        boolean calibration = split == Split.CALIBRATION;
        FailureCode code = calibration ? FailureCode.CALIBRATION_UNREADABLE : FailureCode.BAD_TASK;
        Path file = files.get(split);
        if (file == null) {
            throw new RefusedException(
                    new Fault(
                            calibration ? FailureCode.CALIBRATION_EMPTY : code,
                            "task %s".formatted(name),
                            "no %s file: name one under '%s'".formatted(split.key(), split.key())));
        }
        List<Fault> faults = new ArrayList<>();
        List<Example> examples = exampleFile(file).read(code, !calibration, faults);
        if (faults.isEmpty() && examples.isEmpty()) {
            faults.add(
                    new Fault(
                            calibration ? FailureCode.CALIBRATION_EMPTY : code,
                            file.toString(),
                            "no examples, expected one JSON object a line"));
        }
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        return calibration ? examples.stream().map(Example::unlabelled).toList() : examples;
    }

    /// A file of this task's examples.
    ExampleFile exampleFile(Path file) {
        return new ExampleFile(
                file,
                generation == null || !labels.isEmpty() ? labels : null,
                kind == TaskKind.IMAGE_CLASSIFICATION);
    }

    /// How a text is asked for.
    ///
    /// @throws IllegalStateException where one of the labels is chosen
    TextGeneration generating() {
        if (generation == null) {
            throw new IllegalStateException("[task %s] chooses a label".formatted(name));
        }
        return generation;
    }

    /// The metric of a task that chooses a label.
    public LabelMetric labelMetric() {
        if (metric instanceof LabelMetric labelMetric) {
            return labelMetric;
        }
        throw new IllegalStateException(
                "[task %s] is scored by %s, no metric of labels".formatted(name, metric.id()));
    }

    /// So many calibration inputs: of the calibration file, or where there is none of the training
    /// examples, without their labels.
    public List<Example> calibration(int items) {
        boolean own = files.containsKey(Split.CALIBRATION) || !files.containsKey(Split.TRAIN);
        return sample(own ? Split.CALIBRATION : Split.TRAIN, items).stream()
                .map(Example::unlabelled)
                .toList();
    }

    /// So many examples of a split, drawn by a seed that never changes, in the order of the file:
    /// one that is sorted has no fair share of itself in its first lines. All where there are no
    /// more.
    ///
    /// @throws RefusedException as [#examples]
    public List<Example> sample(Split split, int items) {
        List<Example> examples = examples(split);
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++) {
            places.add(i);
        }
        Collections.shuffle(places, new Random(SAMPLE_SEED));
        return places.stream().limit(items).sorted().map(examples::get).toList();
    }

    /// Writes what the workers need of this task into a folder: the definition, calibration inputs
    /// without labels, and the validation examples; never training or test examples. Equal tasks
    /// give equal bytes.
    ///
    /// @throws RefusedException where calibration inputs or validation examples are missing
    public void stage(Path targetFolder, int calibrationItems) {
        TaskFolder.write(this, targetFolder, calibrationItems);
    }

    /// Writes this task with so many of its training examples, drawn by a seed, and nothing else:
    /// what a method may learn from when draws are compared.
    ///
    /// @throws RefusedException where training examples are missing
    public void draw(Path targetFolder, int items, long seed) {
        TaskFolder.writeDraw(this, targetFolder, items, seed);
    }

    /// What does not fit between this task and a checkpoint: its labels, or whether it can generate
    /// at all; empty where they agree. A checkpoint whose labels have no names but numbers agrees
    /// if there are as many.
    public List<Fault> labelFaults(ModelConfig config, String where) {
        List<Fault> faults = kindFaults(config, where);
        if (!faults.isEmpty() || kind == TaskKind.GENERATION) {
            return faults;
        }
        List<String> others = config.labels();
        boolean unnamed = others.stream().allMatch(label -> label.matches("LABEL_\\d+"));
        if (others.equals(labels) || (unnamed && others.size() == labels.size())) {
            return List.of();
        }
        return List.of(
                new Fault(
                        FailureCode.LABELS_MISMATCH,
                        where,
                        "labels are %s, expected those of task %s in their order: %s"
                                .formatted(others, name, labels)));
    }

    /// Whether a checkpoint can do what the task asks for at all.
    public List<Fault> kindFaults(ModelConfig config, String where) {
        if (kindFor(config) == kind) {
            return List.of();
        }
        return List.of(
                new Fault(
                        FailureCode.UNSUPPORTED_ARCHITECTURE,
                        where,
                        "is a %s, and task %s is to %s: expected %s"
                                .formatted(config.architecture(), name, asked(), fitting(config))));
    }

    private static TaskKind kindFor(ModelConfig config) {
        if (config.generates()) {
            return TaskKind.GENERATION;
        }
        return config instanceof VisionConfig
                ? TaskKind.IMAGE_CLASSIFICATION
                : TaskKind.CLASSIFICATION;
    }

    private String asked() {
        return switch (kind) {
            case CLASSIFICATION -> "choose a label";
            case IMAGE_CLASSIFICATION -> "choose an image's label";
            case GENERATION -> "generate a text";
        };
    }

    private String fitting(ModelConfig config) {
        if (config.generates() && kind == TaskKind.CLASSIFICATION) {
            return "kind: generation in the task, with the labels as the words to answer with";
        }
        return switch (kind) {
            case CLASSIFICATION -> "an encoder of texts, such as BERT, RoBERTa or DistilBERT";
            case IMAGE_CLASSIFICATION ->
                    "a vision transformer, such as ViT or the image side of CLIP";
            case GENERATION -> "a model that generates, such as Qwen2, Llama, Mistral or T5";
        };
    }

    /// The ids of these examples' labels.
    public int[] labelIds(List<Example> examples) {
        return labelIds(labels, examples);
    }

    static int[] labelIds(List<String> labels, List<Example> examples) {
        int[] ids = examples.stream().mapToInt(e -> labels.indexOf(known(e.label()))).toArray();
        if (Arrays.stream(ids).anyMatch(id -> id < 0)) {
            throw new IllegalArgumentException("an example's label is not one of " + labels);
        }
        return ids;
    }

    private static String known(@Nullable String label) {
        if (label == null) {
            throw new IllegalArgumentException("an example has no label");
        }
        return label;
    }
}
