package dev.tributary.merging;

import dev.tributary.models.Architecture;
import dev.tributary.models.CalibrationSet;
import dev.tributary.models.InputReader;
import dev.tributary.models.ModelConfig;
import dev.tributary.models.Split;
import dev.tributary.models.TaskDefinition;
import dev.tributary.models.TaskKind;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.TensorInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Says everything that speaks against one newly published expert, before it may join its pool: its
/// files, its build against the base's, NaNs and infinities, its labels against its task's, and
/// whether the task can be merged and scored at all.
public final class AdmissionChecker {
    private static final String ONE_OF_THEM = "single_label_classification";

    private final Checkpoint base;
    private final String task;
    private final List<Fault> faults = new ArrayList<>();

    private AdmissionChecker(Checkpoint base, String task) {
        this.base = base;
        this.task = task;
    }

    /// Checks an expert; answers with every fault, none when it may join.
    ///
    /// @param base the pool's base
    /// @param task the task the expert is published for
    /// @param expert the expert's folder
    /// @param taskFolder the task's staged definition
    public static List<Fault> check(Checkpoint base, String task, Path expert, Path taskFolder) {
        AdmissionChecker checker = new AdmissionChecker(base, task);
        checker.check(expert, taskFolder);
        return List.copyOf(checker.faults);
    }

    private void check(Path expert, Path taskFolder) {
        TaskDefinition definition = orFaults(() -> TaskDefinition.readStaged(taskFolder));
        if (definition != null) {
            if (!definition.name().equals(task)) {
                fault(
                        FailureCode.UNKNOWN_TASK,
                        task,
                        "the definition is of task '%s', expected '%s'"
                                .formatted(definition.name(), task));
            }
            CalibrationSet set = orFaults(() -> CalibrationSet.read(taskFolder));
            if (set != null && definition.kind() != TaskKind.CLASSIFICATION) {
                readable(definition, set);
            }
        }
        try (Checkpoint checkpoint =
                Checkpoint.isAdapter(expert)
                        ? Checkpoint.openAdapter(expert, base)
                        : Checkpoint.open(expert)) {
            build(checkpoint);
            finite(checkpoint);
            if (definition != null) {
                labels(definition, checkpoint);
            }
        } catch (RefusedException e) {
            faults.addAll(e.faults());
        }
    }

    /// Prompts must leave room for an answer and chat templates take them, and images must be such.
    private void readable(TaskDefinition definition, CalibrationSet set) {
        ModelConfig config = orFaults(() -> ModelConfig.of(base.config(), "base config.json"));
        if (config == null || !definition.kindFaults(config, "base config.json").isEmpty()) {
            return; // told of the expert
        }
        CalibrationSet validation =
                orFaults(() ->
                        CalibrationSet.unlabelled(
                                definition, definition.examples(Split.VALIDATION), set.digest()));
        if (validation == null) {
            return;
        }
        int positions = config.maxPositions();
        Questions _ =
                orFaults(() -> {
                    try (InputReader reader = InputReader.open(base)) {
                        Questions _ = Questions.of(set, set.inputs(), reader, positions);
                        return Questions.of(validation, validation.inputs(), reader, positions);
                    }
                });
    }

    private void build(Checkpoint expert) {
        Member member =
                new Member(task, expert, Digest.ofText(expert.directory().toString()), null);
        faults.addAll(MergePlanner.faultsOf(base, member));
    }

    private void finite(Checkpoint expert) {
        for (TensorInfo tensor : expert.tensors().values()) {
            expert.firstNonFinite(tensor.name())
                    .ifPresent(found ->
                            faults.add(
                                    MergeExecutor.nonFinite(
                                            task + " " + tensor.name(), tensor.elements(), found)));
        }
    }

    private void labels(TaskDefinition definition, Checkpoint expert) {
        ModelConfig config = orFaults(() -> ModelConfig.of(expert.config(), task + " config.json"));
        if (config == null) {
            return;
        }
        faults.addAll(definition.labelFaults(config, task + " config.json"));
        String problem = expert.config().path("problem_type").asText(ONE_OF_THEM);
        if (definition.kind() != TaskKind.GENERATION && !problem.equals(ONE_OF_THEM)) {
            fault(
                    FailureCode.LABELS_MISMATCH,
                    task + " config.json",
                    "problem_type is %s, expected %s: one label is right, and chances add up to 1"
                            .formatted(problem, ONE_OF_THEM));
        }
        long expected = definition.labels().size();
        Architecture architecture = Architecture.of(config);
        Optional<String> weight = architecture.labelWeight();
        if (definition.kind() == TaskKind.GENERATION || weight.isEmpty()) {
            return;
        }
        TensorInfo classifier =
                expert.tensors().values().stream()
                        .filter(t -> architecture.canonicalName(t.name()).equals(weight))
                        .findFirst()
                        .orElse(null);
        if (classifier == null) {
            fault(
                    FailureCode.TENSOR_MISSING,
                    task + " " + weight.get(),
                    "is not in the expert, expected %d rows for the task's labels"
                            .formatted(expected));
        } else if (classifier.shape().size() != 2 || classifier.shape().getFirst() != expected) {
            fault(
                    FailureCode.LABELS_MISMATCH,
                    task + " " + weight.get(),
                    "has shape %s, expected %d rows for the task's labels"
                            .formatted(classifier.shape(), expected));
        }
    }

    private <T> @Nullable T orFaults(Supplier<T> read) {
        try {
            return read.get();
        } catch (RefusedException e) {
            faults.addAll(e.faults());
            return null;
        }
    }

    private void fault(FailureCode code, String where, String sentence) {
        faults.add(new Fault(code, where, sentence));
    }
}
