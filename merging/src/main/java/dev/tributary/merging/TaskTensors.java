package dev.tributary.merging;

import dev.tributary.models.Architecture;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.TensorInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Picks out of an expert's tensors those that stay with its task: the classifier, and what the
/// base lacks of its own architecture, such as a pooler.
final class TaskTensors {
    private TaskTensors() {}

    static List<TaskTensor> of(
            String task,
            Optional<Architecture> architecture,
            TensorNames base,
            TensorNames expert,
            List<Fault> faults) {
        List<TaskTensor> tensors = new ArrayList<>();
        for (Map.Entry<String, TensorInfo> entry : expert.tensors().entrySet()) {
            String name = entry.getKey();
            boolean inBase = base.tensors().containsKey(name);
            if (staysWithTask(architecture, name, inBase)) {
                tensors.add(tensor(architecture, name, entry.getValue()));
            } else if (!inBase) {
                faults.add(unexpected(architecture, task, name));
            }
        }
        return List.copyOf(tensors);
    }

    /// Some methods run experts, so every one must be able to answer.
    ///
    /// @param onTexts whether the method can learn from texts that are generated
    static void refuseWithoutHead(
            String method,
            boolean onTexts,
            Member member,
            Architecture architecture,
            List<TaskTensor> tensors,
            List<Fault> faults) {
        Optional<String> classifier = architecture.labelWeight();
        String task = member.task();
        if (classifier.isEmpty() && onTexts) {
            return;
        }
        if (classifier.isEmpty()) {
            faults.add(
                    new Fault(
                            FailureCode.UNSUPPORTED_ARCHITECTURE,
                            task,
                            "classifies nothing, and %s takes gradients of classifications: use divmerge, regmean, lot or cat, or a method that learns from weights alone"
                                    .formatted(method)));
        } else if (tensors.stream().noneMatch(t -> t.name().equals(classifier.get()))) {
            faults.add(
                    new Fault(
                            FailureCode.TENSOR_MISSING,
                            task + " " + classifier.get(),
                            "is not in the expert, and %s compares classifications"
                                    .formatted(method)));
        }
    }

    private static boolean staysWithTask(
            Optional<Architecture> architecture, String name, boolean inBase) {
        return architecture.isPresent()
                && (architecture.get().taskSpecific(name)
                        || (!inBase && architecture.get().trunk().containsKey(name)));
    }

    private static TaskTensor tensor(
            Optional<Architecture> architecture, String name, TensorInfo info) {
        return new TaskTensor(
                name,
                architecture.map(a -> a.classifierName(name)).orElse(name),
                info.name(),
                info.dtype(),
                info.shape());
    }

    private static Fault unexpected(Optional<Architecture> architecture, String task, String name) {
        return new Fault(
                FailureCode.ARCHITECTURE_MISMATCH,
                task + " " + name,
                architecture.isPresent()
                        ? "is neither in the base nor part of its architecture"
                        : "is not in the base: the heads of this architecture are not known here,"
                                + " so the experts' tensors must be exactly the base's");
    }
}
