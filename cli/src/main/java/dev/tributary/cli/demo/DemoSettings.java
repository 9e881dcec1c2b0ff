package dev.tributary.cli.demo;

import dev.tributary.models.FineTuning;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What a run of the demo does.
///
/// @param data folder everything is kept in
/// @param taskFolder folder of task folders
/// @param experts which experts are made, in this order
/// @param mergeOptions options of DivMerge
/// @param testItems test examples each table is measured on, a task
/// @param calibrationItems unlabelled inputs of each task
/// @param seed of fine-tuning and merging
public record DemoSettings(
        Path data,
        Path taskFolder,
        List<ExpertRecipe> experts,
        Map<String, String> mergeOptions,
        int testItems,
        int calibrationItems,
        long seed) {

    /// How one expert is made.
    ///
    /// @param task folder name of its task
    /// @param tuning settings of the fine-tuning
    public record ExpertRecipe(String task, FineTuning tuning) {}

    /// The whole demo.
    public static DemoSettings full(Path data, Path taskFolder, long seed) {
        return new DemoSettings(
                data,
                taskFolder,
                List.of(
                        expert("sentiment_uci", 1, 2058, seed),
                        expert("verse_paraphrase", 1, 1500, seed),
                        expert("supersense", 1, 3000, seed),
                        expert("spam_mail", 1, 1000, seed),
                        expert("acceptability", 2, 3000, seed)),
                Map.of(
                        "max_steps", "60",
                        "learning_rate", "0.2",
                        "calibration_items", "100",
                        "evaluate_every", "30",
                        "seed", String.valueOf(seed)),
                300,
                100,
                seed);
    }

    /// The same in fewer steps.
    public static DemoSettings quick(Path data, Path taskFolder, long seed) {
        return new DemoSettings(
                data,
                taskFolder,
                List.of(
                        expert("sentiment_uci", 1, 1000, seed),
                        expert("verse_paraphrase", 1, 700, seed),
                        expert("supersense", 1, 1500, seed),
                        expert("spam_mail", 1, 400, seed),
                        expert("acceptability", 1, 800, seed)),
                Map.of(
                        "max_steps", "40",
                        "learning_rate", "0.2",
                        "calibration_items", "32",
                        "seed", String.valueOf(seed)),
                200,
                50,
                seed);
    }

    public DemoSettings {
        experts = List.copyOf(experts);
        mergeOptions = Map.copyOf(new TreeMap<>(mergeOptions));
    }

    private static ExpertRecipe expert(String task, int epochs, int examples, long seed) {
        return new ExpertRecipe(
                task,
                FineTuning.defaults().withEpochs(epochs).withMaxExamples(examples).withSeed(seed));
    }
}
