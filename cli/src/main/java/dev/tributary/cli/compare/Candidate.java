package dev.tributary.cli.compare;

import dev.tributary.merging.MergePlanner;
import dev.tributary.merging.method.MergeMethod;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// A method as it takes part in a comparison.
///
/// @param name how the report calls it
/// @param method its id
/// @param grid the options it may choose among by its score on validation data; with one entry
///   nothing is chosen and no validation data is looked at
record Candidate(String name, String method, List<Map<String, String>> grid) {
    private static final Set<String> STUDIED = Set.of("LOT", "DivMerge LL JS");

    private static final List<Candidate> DEFAULTS =
            List.of(
                    fixed("base", "task_arithmetic", Map.of("lambda", "0")),
                    fixed("averaging", "weight_averaging", Map.of()),
                    fixed("task arithmetic", "task_arithmetic", Map.of()),
                    tuned("task arithmetic, tuned", "task_arithmetic", "lambda", scales()),
                    fixed("TIES", "ties", Map.of()),
                    tuned("TIES, tuned", "ties", "lambda", List.of("0.5", "1", "1.5", "2")),
                    fixed("DARE", "dare_linear", Map.of("density", "0.5", "lambda", "0.3")),
                    tuned("TSV-M", "tsv_m", "alpha", List.of("1", "1.5")),
                    fixed("WUDI", "wudi", Map.of()),
                    fixed("Fisher", "fisher", Map.of()),
                    fixed("RegMean", "regmean", Map.of()),
                    fixed("LOT", "lot", Map.of()),
                    fixed("CAT", "cat", Map.of()),
                    fixed("TATR", "tatr", Map.of()),
                    fixed("TIES + TATR", "ties", Map.of("trust_region", "predicted")),
                    fixed("AdaMerging", "adamerging", descent("0.02")),
                    divMerge("DivMerge TL KL", "task", "kl"),
                    divMerge("DivMerge TL JS", "task", "js"),
                    divMerge("DivMerge LL KL", "layer", "kl"),
                    divMerge("DivMerge LL JS", "layer", "js"),
                    divMerge("DivMerge tensor JS", "tensor", "js"));

    private static final List<Candidate> MORE =
            List.of(
                    tuned("CAT, tuned", "cat", "lambda", scales()),
                    tuned("TATR, tuned", "tatr", "lambda", scales()));

    Candidate {
        grid = List.copyOf(grid);
    }

    /// The methods a comparison looks at unless it is told others.
    static List<Candidate> defaults() {
        return DEFAULTS;
    }

    /// All that can be asked for: the defaults, and what would take them too long.
    static List<Candidate> all() {
        return Stream.concat(DEFAULTS.stream(), MORE.stream()).toList();
    }

    /// Whether a seed changes what it makes: it draws by itself, or learns from inputs that are
    /// drawn.
    boolean seeded() {
        MergeMethod made = MergeMethod.of(method, grid.getFirst());
        return made.usesCalibration() || made.options().containsKey("seed");
    }

    /// Whether it can learn from texts that are generated.
    boolean takesGeneration() {
        return MergePlanner.takesGeneration(MergeMethod.of(method, grid.getFirst()));
    }

    /// Whether it is also run with other numbers of calibration inputs.
    boolean studied() {
        return STUDIED.contains(name);
    }

    private static Candidate fixed(String name, String method, Map<String, String> options) {
        return new Candidate(name, method, List.of(options));
    }

    private static Candidate tuned(String name, String method, String option, List<String> values) {
        return new Candidate(
                name, method, values.stream().map(value -> Map.of(option, value)).toList());
    }

    private static Candidate divMerge(String name, String granularity, String divergence) {
        Map<String, String> options = descent("0.2");
        options.put("granularity", granularity);
        options.put("divergence", divergence);
        return fixed(name, "divmerge", options);
    }

    /// The same number of steps for all that descend, a fraction of their papers', with steps as
    /// much larger.
    private static Map<String, String> descent(String learningRate) {
        return new TreeMap<>(
                Map.of(
                        "learning_rate", learningRate,
                        "decay", "cosine",
                        "max_steps", "60",
                        "evaluate_every", "60"));
    }

    private static List<String> scales() {
        List<String> scales = new ArrayList<>();
        for (int tenths = 1; tenths <= 10; tenths++) {
            scales.add("%d.%d".formatted(tenths / 10, tenths % 10));
        }
        return scales;
    }
}
