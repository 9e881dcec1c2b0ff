package dev.tributary.merging;

import dev.tributary.merging.method.Granularity;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/// How much of each task vector goes into a merge: one number a task, or one a task and group,
/// which is a layer or a single tensor. Any real number is allowed; DivMerge leaves them
/// unconstrained (arXiv 2509.02108, section 3.1).
///
/// @param granularity one value a task, or one a task and group
/// @param tasks the tasks, in the order of the values
/// @param groups the layer groups, in the order of the values, or at tensor level the tensors by
///   their names in the merged file; the layer groups also where a task has one value
/// @param values task by task: one value each, or one for each group
public record Coefficients(
        Granularity granularity, List<String> tasks, List<String> groups, List<Double> values) {

    private static final double UNKNOWN = 0.5;

    public Coefficients {
        tasks = List.copyOf(tasks);
        groups = List.copyOf(groups);
        values = List.copyOf(values);
        int expected = tasks.size() * perTask(granularity, groups);
        if (values.size() != expected) {
            throw new IllegalArgumentException(
                    "[coefficients] %d values for %d tasks and %d groups at %s level, expected %d"
                            .formatted(
                                    values.size(),
                                    tasks.size(),
                                    groups.size(),
                                    granularity.id(),
                                    expected));
        }
        for (double value : values) {
            if (!Double.isFinite(value)) {
                throw new IllegalArgumentException("[coefficients] not a finite number: " + value);
            }
        }
    }

    /// The same value everywhere.
    public static Coefficients uniform(
            Granularity granularity, List<String> tasks, List<String> groups, double value) {
        int size = tasks.size() * perTask(granularity, groups);
        return new Coefficients(granularity, tasks, groups, Collections.nCopies(size, value));
    }

    static Coefficients of(
            Granularity granularity, List<String> tasks, List<String> groups, double[] values) {
        List<Double> boxed = new ArrayList<>(values.length);
        for (double value : values) {
            boxed.add(value);
        }
        return new Coefficients(granularity, tasks, groups, boxed);
    }

    /// The coefficient of a task in a group.
    public double get(String task, String group) {
        return get(known(tasks, task, "task"), known(groups, group, "group"));
    }

    /// The coefficients of a task, one for each group in their order, at any granularity.
    public List<Double> of(String task) {
        return groups.stream().map(group -> get(task, group)).toList();
    }

    double get(int task, int group) {
        return switch (granularity) {
            case TASK -> values.get(task);
            case LAYER, TENSOR -> values.get(task * groups.size() + group);
        };
    }

    /// Whether they are a start for these tasks: some of them are known, and from among others. One
    /// task's coefficients are 1, which says nothing of it among others.
    public boolean isStartFor(Collection<String> newTasks) {
        return tasks.size() > 1 && !Collections.disjoint(tasks, newTasks);
    }

    /// These coefficients for another set of tasks, groups and granularity: what is known stays. A
    /// task never seen starts where those that stay are on the average, layer by layer: tasks
    /// differ less than layers do. What there is no telling of starts at 0.5, whatever the number
    /// of tasks (the paper's table 9).
    ///
    /// A tensor starts where its layer was, and a layer at the mean of its tensors.
    ///
    /// @param layers the layer group of each tensor, by the tensor's name in the merged file
    public Coefficients startFor(
            Granularity wanted,
            List<String> newTasks,
            List<String> newGroups,
            Map<String, String> layers) {
        List<String> staying = newTasks.stream().filter(tasks::contains).toList();
        List<Double> started = new ArrayList<>();
        for (String task : newTasks) {
            List<String> like = tasks.contains(task) ? List.of(task) : staying;
            switch (wanted) {
                case TASK -> started.add(average(like, this::mean));
                case LAYER, TENSOR ->
                        newGroups.forEach(group ->
                                started.add(average(like, one -> start(one, group, layers))));
            }
        }
        return new Coefficients(wanted, newTasks, newGroups, started);
    }

    private static double average(List<String> tasks, ToDoubleFunction<String> value) {
        return tasks.stream().mapToDouble(value).average().orElse(UNKNOWN);
    }

    private double start(String task, String group, Map<String, String> layers) {
        if (groups.contains(group)) {
            return get(task, group);
        }
        String layer = layers.get(group);
        if (layer != null && groups.contains(layer)) {
            return get(task, layer);
        }
        return groups.stream()
                .filter(tensor -> group.equals(layers.get(tensor)))
                .mapToDouble(tensor -> get(task, tensor))
                .average()
                .orElse(UNKNOWN);
    }

    /// The mean of a task's coefficients.
    public double mean(String task) {
        int index = known(tasks, task, "task");
        int each = perTask(granularity, groups);
        return values.subList(index * each, (index + 1) * each).stream()
                .mapToDouble(Double::doubleValue)
                .average()
                .orElseThrow();
    }

    double[] toArray() {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static int perTask(Granularity granularity, List<String> groups) {
        return switch (granularity) {
            case TASK -> 1;
            case LAYER, TENSOR -> groups.size();
        };
    }

    private static int known(List<String> names, String name, String kind) {
        int index = names.indexOf(name);
        if (index < 0) {
            throw new IllegalArgumentException(
                    String.format(
                            Locale.ROOT, "[coefficients] no %s '%s' in %s", kind, name, names));
        }
        return index;
    }
}
