package dev.tributary.merging;

import dev.tributary.merging.MergeMethod.DivMerge;
import dev.tributary.merging.MergeMethod.TaskArithmetic;
import dev.tributary.merging.MergeMethod.Ties;
import dev.tributary.merging.MergeMethod.WeightAveraging;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Reads a method's options from text and lists everything that is wrong with them at once.
final class MethodReader {
    private final String method;
    private final Map<String, String> left;
    private final List<String> known = new ArrayList<>();
    private final List<Fault> faults = new ArrayList<>();

    private MethodReader(String method, Map<String, String> options) {
        this.method = method;
        this.left = new TreeMap<>(options);
    }

    static MergeMethod read(String id, Map<String, String> options) {
        MethodReader reader = new MethodReader(id, options);
        return switch (id) {
            case "weight_averaging" -> reader.weightAveraging();
            case "task_arithmetic" -> reader.taskArithmetic();
            case "ties" -> reader.ties();
            case "divmerge" -> reader.divMerge();
            default ->
                    throw new RefusedException(
                            List.of(
                                    new Fault(
                                            FailureCode.UNKNOWN_METHOD,
                                            "method",
                                            "'%s' is no merge method, expected one of %s"
                                                    .formatted(
                                                            id,
                                                            String.join(", ", MergeMethod.IDS)))));
        };
    }

    private MergeMethod weightAveraging() {
        boolean normalize = flag("normalize", true);
        return build(() -> new WeightAveraging(normalize));
    }

    private MergeMethod taskArithmetic() {
        double lambda = real(TaskArithmetic.LAMBDA, TaskArithmetic.DEFAULT_LAMBDA);
        boolean normalize = flag("normalize", false);
        return build(() -> new TaskArithmetic(lambda, normalize));
    }

    private MergeMethod ties() {
        double density = real(Ties.DENSITY, Ties.DEFAULT_DENSITY);
        double lambda = real(Ties.LAMBDA, Ties.DEFAULT_LAMBDA);
        TrimScope scope = choice("trim", TrimScope.values(), TrimScope::id, TrimScope.GLOBAL);
        boolean normalize = flag("normalize", true);
        return build(() -> new Ties(density, lambda, scope, normalize));
    }

    private MergeMethod divMerge() {
        DivMerge defaults = DivMerge.defaults();
        Granularity granularity =
                choice(
                        "granularity",
                        Granularity.values(),
                        Granularity::id,
                        defaults.granularity());
        Divergence divergence =
                choice("divergence", Divergence.values(), Divergence::id, defaults.divergence());
        double learningRate = real(DivMerge.LEARNING_RATE, defaults.learningRate());
        int samplesPerStep = whole(DivMerge.SAMPLES_PER_STEP, defaults.samplesPerStep());
        int maxSteps = whole(DivMerge.MAX_STEPS, defaults.maxSteps());
        int calibrationItems = whole(DivMerge.CALIBRATION_ITEMS, defaults.calibrationItems());
        int evaluateEvery = whole(DivMerge.EVALUATE_EVERY, defaults.evaluateEvery());
        int patience = whole(DivMerge.PATIENCE, defaults.patience());
        double minImprovement = real(DivMerge.MIN_IMPROVEMENT, defaults.minImprovement());
        long seed = seed(defaults.seed());
        return build(() ->
                new DivMerge(
                        granularity,
                        divergence,
                        learningRate,
                        samplesPerStep,
                        maxSteps,
                        calibrationItems,
                        evaluateEvery,
                        patience,
                        minImprovement,
                        seed));
    }

    private MergeMethod build(Supplier<MergeMethod> method) {
        left.keySet()
                .forEach(name ->
                        fault(
                                name,
                                "is no option of %s, expected one of %s"
                                        .formatted(this.method, String.join(", ", known))));
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        return method.get();
    }

    private double real(Bound bound, double defaultValue) {
        String text = take(bound.name());
        if (text == null) {
            return defaultValue;
        }
        try {
            double value = Double.parseDouble(text.strip());
            if (bound.allows(value)) {
                return value;
            }
        } catch (NumberFormatException _) {
            // said below, as for a number out of bounds
        }
        fault(bound.name(), "was '%s', expected %s".formatted(text, bound.expected()));
        return defaultValue;
    }

    private int whole(Bound bound, int defaultValue) {
        String text = take(bound.name());
        if (text == null) {
            return defaultValue;
        }
        try {
            int value = Integer.parseInt(text.strip());
            if (bound.allows(value)) {
                return value;
            }
        } catch (NumberFormatException _) {
            // said below, as for a number out of bounds
        }
        fault(
                bound.name(),
                "was '%s', expected a whole number, %s".formatted(text, bound.expected()));
        return defaultValue;
    }

    private long seed(long defaultValue) {
        String text = take("seed");
        if (text == null) {
            return defaultValue;
        }
        try {
            return Long.parseLong(text.strip());
        } catch (NumberFormatException _) {
            fault("seed", "was '%s', expected a whole number".formatted(text));
            return defaultValue;
        }
    }

    private boolean flag(String name, boolean defaultValue) {
        String text = take(name);
        if (text == null) {
            return defaultValue;
        }
        return switch (text.strip().toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            default -> {
                fault(name, "was '%s', expected true or false".formatted(text));
                yield defaultValue;
            }
        };
    }

    private <E> E choice(String name, E[] values, Function<E, String> id, E defaultValue) {
        String text = take(name);
        if (text == null) {
            return defaultValue;
        }
        for (E value : values) {
            if (id.apply(value).equals(text.strip().toLowerCase(Locale.ROOT))) {
                return value;
            }
        }
        fault(
                name,
                "was '%s', expected one of %s"
                        .formatted(
                                text, String.join(", ", Arrays.stream(values).map(id).toList())));
        return defaultValue;
    }

    private @Nullable String take(String name) {
        known.add(name);
        return left.remove(name);
    }

    private void fault(String option, String sentence) {
        faults.add(new Fault(FailureCode.BAD_OPTION, method + "." + option, sentence));
    }
}
