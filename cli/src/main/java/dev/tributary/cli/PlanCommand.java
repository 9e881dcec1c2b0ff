package dev.tributary.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.merging.MergePlan;
import dev.tributary.merging.PoolMerger;
import dev.tributary.merging.Recipe;
import dev.tributary.merging.ScaleGrid;
import dev.tributary.merging.VocabularyPlan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// Says what a recipe would do, or everything that is wrong with it, without reading weights.
@Command(
        name = "plan",
        mixinStandardHelpOptions = true,
        description = {
            "Says what a recipe would do: tensors, tokens, bytes, memory, time.",
            "Lists every fault at once, with model and tensor named, and exits with 3 when there is one."
        },
        footerHeading = "%nExamples:%n",
        footer = {"  tributary plan recipe.yaml", "  tributary plan recipe.yaml -o json"})
final class PlanCommand implements Callable<Integer> {
    @Mixin OutputOption output = new OutputOption();

    @Parameters(paramLabel = "RECIPE", description = "mergekit's YAML, or our own.")
    @Nullable Path recipe;

    @Override
    public Integer call() {
        Recipe read = Recipe.read(Objects.requireNonNull(recipe));
        MergePlan plan = PoolMerger.plan(read);
        if (output.json()) {
            System.out.println(OutputOption.pretty(json(plan, read.tune())));
        } else {
            read.notes().forEach(note -> System.out.println("note: " + note));
            print(plan);
            if (read.tune() != null) {
                System.out.println("tune       %s".formatted(grid(read.tune())));
            }
        }
        return 0;
    }

    static void print(MergePlan plan) {
        System.out.println(
                "method     %s %s".formatted(plan.method().id(), plan.method().options()));
        System.out.println("members    %s".formatted(String.join(", ", plan.tasks())));
        System.out.println(
                "tensors    %d merged in %d groups, %d kept per task"
                        .formatted(
                                plan.shared().size(),
                                plan.groups().size(),
                                plan.taskTensors().values().stream().mapToInt(List::size).sum()));
        plan.vocabulary().ifPresent(v -> lines(v).forEach(System.out::println));
        System.out.println("read       %s".formatted(bytes(plan.bytesToRead())));
        System.out.println("write      %s".formatted(bytes(plan.bytesToWrite())));
        System.out.println(
                "memory     %s at most, beside mapped files".formatted(bytes(plan.peakBytes())));
        System.out.println("time       about %s".formatted(Terminal.duration(plan.estimate())));
    }

    private static String grid(ScaleGrid grid) {
        return "%s, one of %s by %s score"
                .formatted(grid.option().name(), grid.values(), grid.score().id());
    }

    /// How the rows of the vocabulary are aligned.
    static List<String> lines(VocabularyPlan vocabulary) {
        List<String> lines = new ArrayList<>();
        lines.add(
                "vocabulary %s: %d tokens in %d rows, %d of them added to the base's; %d tensors aligned by token"
                        .formatted(
                                vocabulary.source(),
                                vocabulary.tokens(),
                                vocabulary.rows(),
                                vocabulary.added().size(),
                                vocabulary.alignments().size()));
        for (VocabularyPlan.Share share : vocabulary.members()) {
            lines.add(
                    "           %s: %d tokens shared, %d missing (task vector zero), %d left out%s"
                            .formatted(
                                    share.task(),
                                    share.shared(),
                                    share.missing(),
                                    share.leftOut(),
                                    share.examples().isEmpty()
                                            ? ""
                                            : ": " + printable(share.examples())));
        }
        return lines;
    }

    /// Tokens come from files of others: what a terminal would obey is not shown.
    private static String printable(List<String> tokens) {
        return String.join(", ", tokens).replaceAll("\\p{Cntrl}", "\uFFFD");
    }

    private static ObjectNode json(VocabularyPlan vocabulary) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("source", vocabulary.source());
        json.put("tokens", vocabulary.tokens());
        json.put("rows", vocabulary.rows());
        json.put("added", vocabulary.added().size());
        json.put("alignedTensors", vocabulary.alignments().size());
        var members = json.putArray("members");
        for (VocabularyPlan.Share share : vocabulary.members()) {
            ObjectNode member = members.addObject();
            member.put("task", share.task());
            member.put("shared", share.shared());
            member.put("missing", share.missing());
            member.put("leftOut", share.leftOut());
        }
        return json;
    }

    private static ObjectNode json(MergePlan plan, @Nullable ScaleGrid tune) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("method", plan.method().id());
        ObjectNode options = json.putObject("options");
        plan.method().options().forEach(options::put);
        var members = json.putArray("members");
        plan.tasks().forEach(members::add);
        json.put("mergedTensors", plan.shared().size());
        var groups = json.putArray("groups");
        plan.groups().forEach(groups::add);
        plan.vocabulary().ifPresent(v -> json.set("vocabulary", json(v)));
        json.put("bytesToRead", plan.bytesToRead());
        json.put("bytesToWrite", plan.bytesToWrite());
        json.put("peakBytes", plan.peakBytes());
        json.put("estimatedSeconds", plan.estimate().toMillis() / 1000.0);
        if (tune != null) {
            var values = json.putObject("tune").putArray(tune.option().name());
            tune.values().forEach(values::add);
        }
        return json;
    }

    /// A size as a person says it.
    static String bytes(long bytes) {
        if (bytes < 1 << 20) {
            return String.format(Locale.ROOT, "%.1f KiB", bytes / 1024.0);
        }
        return bytes < 1L << 30
                ? String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0)
                : String.format(Locale.ROOT, "%.2f GiB", bytes / 1073741824.0);
    }
}
