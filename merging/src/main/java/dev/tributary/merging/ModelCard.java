package dev.tributary.merging;

import dev.tributary.merging.method.Granularity;
import dev.tributary.merging.method.LearnsCoefficients;
import dev.tributary.merging.method.Option;
import dev.tributary.merging.method.Setting;
import dev.tributary.models.Architecture;
import dev.tributary.models.Loader;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SortedMap;
import java.util.stream.Collectors;

/// Writes the README of a merged model: a card as the Hugging Face Hub reads it, with what went in
/// and how to load it.
final class ModelCard {
    private final MergePlan plan;
    private final Lineage lineage;
    private final List<String> taskFolders;
    private final StringBuilder text = new StringBuilder();

    private ModelCard(MergePlan plan, Lineage lineage, List<String> taskFolders) {
        this.plan = plan;
        this.lineage = lineage;
        this.taskFolders = taskFolders;
    }

    /// @param taskFolders the tasks that have a folder of their own
    static String text(MergePlan plan, Lineage lineage, List<String> taskFolders) {
        return new ModelCard(plan, lineage, taskFolders).text();
    }

    private String text() {
        frontMatter();
        line("");
        line("# " + oneLine(lineage.provenance().title()));
        line("");
        line(
                "%d experts of `%s` merged into one model by %s with Tributary."
                        .formatted(
                                plan.members().size(),
                                oneLine(lineage.provenance().baseName()),
                                methodText()));
        line("");
        members();
        coefficients();
        tuning();
        loading();
        line("");
        line("`tributary.json` records the full lineage. Id: `%s`".formatted(id()));
        return text.toString();
    }

    private String id() {
        return lineage.identity().digest().value();
    }

    private void frontMatter() {
        line("---");
        line("base_model: " + JsonText.quoted(lineage.provenance().baseName()));
        line("base_model_relation: merge");
        line("library_name: transformers");
        line("tags:");
        line("- merge");
        line("- tributary");
        if (!taskFolders.isEmpty()) {
            line("pipeline_tag: text-classification");
        }
        line("---");
    }

    private String methodText() {
        String options =
                plan.method().options().entrySet().stream()
                        .map(option -> "%s %s".formatted(option.getKey(), option.getValue()))
                        .collect(Collectors.joining(", "));
        return "[%s](%s)%s"
                .formatted(
                        plan.method().entry().title(),
                        plan.method().entry().paper(),
                        options.isEmpty() ? "" : " (%s)".formatted(options));
    }

    private void members() {
        line("## Members");
        line("");
        List<Option<Setting>> stated = plan.method().entry().expertOptions();
        line(
                "| task | expert |"
                        + stated.stream()
                                .map(option -> " %s |".formatted(option.name()))
                                .collect(Collectors.joining()));
        line("|---|---|" + "---|".repeat(stated.size()));
        for (Member member : plan.members()) {
            String name = lineage.provenance().expertNames().get(member.task());
            StringBuilder row =
                    new StringBuilder(
                            "| %s | %s`%s` |"
                                    .formatted(
                                            cell(member.task()),
                                            name == null ? "" : cell(name) + " ",
                                            member.digest().shortHex()));
            for (Option<Setting> option : stated) {
                Setting own = member.settings().get(option.name());
                String otherwise =
                        plan.method()
                                .options()
                                .getOrDefault(option.name(), option.poolDefault().text());
                row.append(" %s |".formatted(own == null ? otherwise : own.text()));
            }
            line(row.toString());
        }
        line("");
        line(
                "Base: `%s` (`%s`)"
                        .formatted(
                                oneLine(lineage.provenance().baseName()),
                                lineage.base().shortHex()));
    }

    private void coefficients() {
        Coefficients coefficients = lineage.coefficients();
        DivMergeResult learnt = lineage.learnt();
        if (coefficients == null || learnt == null) {
            return;
        }
        line("");
        line("## Coefficients");
        line("");
        line("| group | " + String.join(" | ", tasks()) + " |");
        line("|---|" + "---|".repeat(tasks().size()));
        if (coefficients.granularity() == Granularity.TENSOR) {
            ranges(coefficients);
        } else {
            values(coefficients);
        }
        line("");
        line(
                number(
                                "Mean %s on their calibration inputs: %%.5f".formatted(quantity()),
                                learnt.meanBefore())
                        + number(" nats at the start, %.5f at the end", learnt.meanAfter())
                        + " (%d steps).".formatted(learnt.steps()));
    }

    private void values(Coefficients coefficients) {
        for (String group : coefficients.groups()) {
            StringBuilder row = new StringBuilder("| " + group + " |");
            for (Member member : plan.members()) {
                row.append(number(" %.4f |", coefficients.get(member.task(), group)));
            }
            line(row.toString());
        }
    }

    /// One row a tensor would fill pages: each layer's mean, smallest and largest instead.
    private void ranges(Coefficients coefficients) {
        SequencedMap<String, List<String>> tensors = new LinkedHashMap<>();
        Map<String, String> layers = plan.layerOfTensor();
        for (String tensor : coefficients.groups()) {
            tensors.computeIfAbsent(layers.getOrDefault(tensor, tensor), _ -> new ArrayList<>())
                    .add(tensor);
        }
        tensors.forEach((layer, inLayer) -> {
            StringBuilder row = new StringBuilder("| " + layer + " |");
            for (Member member : plan.members()) {
                DoubleSummaryStatistics range =
                        inLayer.stream()
                                .mapToDouble(tensor -> coefficients.get(member.task(), tensor))
                                .summaryStatistics();
                row.append(number(" %.4f", range.getAverage()))
                        .append(number(" (%.4f", range.getMin()))
                        .append(number(" to %.4f) |", range.getMax()));
            }
            line(row.toString());
        });
        line("");
        line("One coefficient a task and tensor: of each group the mean, the smallest and the");
        line("largest stand here, all in `tributary.json`.");
    }

    private String quantity() {
        return plan.method()
                .as(LearnsCoefficients.class)
                .map(method -> method.loss().quantity())
                .orElse("loss");
    }

    private void tuning() {
        ScaleChoice tuning = lineage.tuning();
        if (tuning == null) {
            return;
        }
        boolean divided = tuning.grid().score() == ScaleGrid.Score.NORMALIZED;
        String option = tuning.grid().option().name();
        line("");
        line("## Tuning");
        line("");
        line(
                "`%s` was chosen on validation examples by the mean %s."
                        .formatted(
                                option,
                                divided
                                        ? "of each task's metric divided by its expert's own"
                                        : "of the tasks' metrics"));
        line("");
        line("| %s | score | %s |".formatted(option, String.join(" | ", tasks())));
        line("|---|---|" + "---|".repeat(tasks().size()));
        for (ScaleChoice.Candidate candidate : tuning.candidates()) {
            boolean chosen = candidate.equals(tuning.chosen());
            line(
                    "| %s | %s | %s |"
                            .formatted(
                                    chosen
                                            ? "**%s**".formatted(candidate.value())
                                            : candidate.value(),
                                    number("%.4f", candidate.score()),
                                    metrics(candidate.metrics())));
        }
        if (divided) {
            line("| experts | | %s |".formatted(metrics(tuning.experts())));
        }
    }

    private static String metrics(SortedMap<String, Double> byTask) {
        return byTask.values().stream()
                .map(metric -> number("%.4f", metric))
                .collect(Collectors.joining(" | "));
    }

    private List<String> tasks() {
        return plan.members().stream().map(member -> cell(member.task())).toList();
    }

    private void loading() {
        if (taskFolders.isEmpty()) {
            return;
        }
        line("");
        line("## Loading");
        line("");
        Loader loader =
                plan.architecture().map(Architecture::loader).orElse(Loader.SEQUENCE_CLASSIFIER);
        boolean images = loader != Loader.SEQUENCE_CLASSIFIER;
        String model = loader.className();
        String reader = images ? "AutoImageProcessor" : "AutoTokenizer";
        line("The folder holds the shared encoder; each folder below `tasks/` is that encoder");
        line("with one task's classifier, as `transformers` loads it:");
        line("");
        line("```python");
        line(
                "from transformers import "
                        + (images ? reader + ", " + model : model + ", " + reader));
        line("");
        line("folder = \"tasks/%s\"".formatted(taskFolders.getFirst()));
        line(
                "%s = %s.from_pretrained(folder)"
                        .formatted(images ? "processor" : "tokenizer", reader));
        line("model = %s.from_pretrained(folder)".formatted(model));
        line("```");
        if (loader == Loader.IMAGE_EMBEDDER) {
            line("");
            line(
                    "An image's scores are its embedding, divided by its length, times the transpose of");
            line("`zeroshot_weights` in the same folder.");
        }
    }

    private static String number(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    private static String cell(String value) {
        return oneLine(value).replace("|", "\\|");
    }

    private static String oneLine(String value) {
        return value.replaceAll("\\s+", " ");
    }

    private void line(String value) {
        text.append(value).append('\n');
    }
}
