package dev.tributary.merging;

import dev.tributary.models.Head;
import dev.tributary.models.RunningModel;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The heads of a plan's tasks, read from their experts for one running model.
final class Heads implements AutoCloseable {
    private final Map<String, Head> byTask = new HashMap<>();

    private Heads() {}

    static Heads open(RunningModel model, MergePlan plan) {
        Heads heads = new Heads();
        if (model.architecture().labelWeight().isEmpty()) {
            return heads;
        }
        try {
            for (Member member : plan.members()) {
                Set<String> names =
                        plan.taskTensors().getOrDefault(member.task(), java.util.List.of()).stream()
                                .map(TaskTensor::name)
                                .collect(Collectors.toSet());
                heads.byTask.put(member.task(), model.head(member.expert(), names));
            }
        } catch (RuntimeException e) {
            heads.close();
            throw e;
        }
        return heads;
    }

    /// A task's head; null where models generate, and nothing is a task's own.
    @Nullable Head of(String task) {
        Head head = byTask.get(task);
        if (head == null && !byTask.isEmpty()) {
            throw new IllegalArgumentException(
                    "[%s] no such task, expected one of %s".formatted(task, byTask.keySet()));
        }
        return head;
    }

    @Override
    public void close() {
        byTask.values().forEach(Head::close);
        byTask.clear();
    }
}
