package dev.tributary.eval.verdict;

import dev.tributary.eval.verdict.Judgement.Pooled;
import dev.tributary.eval.verdict.TaskComparison.Compared;
import dev.tributary.eval.verdict.TaskComparison.NewTask;
import dev.tributary.eval.verdict.TaskComparison.NotScored;
import dev.tributary.eval.verdict.TaskComparison.OtherItems;
import dev.tributary.eval.verdict.TaskComparison.Standing;
import dev.tributary.eval.verdict.TaskResult.Failed;
import dev.tributary.eval.verdict.TaskResult.Scored;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Decides whether a generation is worse than the one being served.
///
/// The items are paired: only answers that changed count. The false-alarm rate of the whole
/// comparison is split in two halves. One half looks for a single task that fell, over all tasks
/// with the step-up procedure of Benjamini and Hochberg; the other for a decline of everything
/// together, in one test over all items. So of generations that are no worse, at most the fraction
/// `significanceLevel` is called a regression, however many tasks there are.
///
/// @param significanceLevel the false-alarm rate of a generation's comparison with the champion
/// @param toleratedDrop a fall of the right answers up to this is no regression, as a fraction of 1
/// @param largestDetectableDrop a comparison that could only have shown a fall larger than this is
///   inconclusive, as a fraction of 1
public record RegressionPolicy(
        double significanceLevel, double toleratedDrop, double largestDetectableDrop) {

    /// The power every smallest detectable drop is stated for.
    static final double POWER = 0.8;

    public RegressionPolicy {
        if (!(significanceLevel > 0 && significanceLevel <= 0.5)) {
            throw new IllegalArgumentException(
                    "[verdict policy] significance level %s, expected more than 0 and at most 0.5"
                            .formatted(significanceLevel));
        }
        if (!(toleratedDrop >= 0 && toleratedDrop < 1)) {
            throw new IllegalArgumentException(
                    "[verdict policy] tolerated drop %s, expected 0 or more and less than 1"
                            .formatted(toleratedDrop));
        }
        if (!(largestDetectableDrop > 0 && largestDetectableDrop <= 1)) {
            throw new IllegalArgumentException(
                    "[verdict policy] largest detectable drop %s, expected more than 0 and at most 1"
                            .formatted(largestDetectableDrop));
        }
    }

    /// Judges a generation by its results on its tasks, one each.
    ///
    /// @param champion results of the generation being served, by task; empty when there is none
    public Judgement judge(List<TaskResult> challenger, Map<String, TaskResult> champion) {
        List<TaskResult> results =
                challenger.stream().sorted(Comparator.comparing(TaskResult::task)).toList();
        List<PairedTask> paired = PairedTask.of(results, champion);
        Falls falls = Falls.of(paired.stream().map(PairedTask::outcome).toList(), this);
        Map<String, Compared> compared = compare(paired, falls);
        List<TaskComparison> tasks = new ArrayList<>();
        for (TaskResult result : results) {
            Compared comparison = compared.get(result.task());
            Standing standing =
                    comparison == null
                            ? notCompared(result, champion.get(result.task()))
                            : comparison;
            tasks.add(new TaskComparison(result, standing));
        }
        boolean first = tasks.stream().noneMatch(task -> champion.containsKey(task.task()));
        Optional<Pooled> pooled =
                paired.isEmpty()
                        ? Optional.empty()
                        : Optional.of(together(PairedTask.pool(paired), falls));
        Verdict verdict =
                falls.any()
                        ? Verdict.REGRESSED
                        : tasks.stream().anyMatch(this::inconclusive)
                                ? Verdict.INCONCLUSIVE
                                : Verdict.PASS;
        return new Judgement(
                verdict, first, tasks, pooled, Reason.of(verdict, first, tasks, pooled, this));
    }

    /// Whether this task keeps the verdict open.
    boolean inconclusive(TaskComparison task) {
        return switch (task.standing()) {
            case Compared c -> c.smallestDetectableDrop() > largestDetectableDrop;
            case NewTask _ -> false;
            case OtherItems _, NotScored _ -> true;
        };
    }

    private Map<String, Compared> compare(List<PairedTask> paired, Falls falls) {
        // The step-up procedure is at its strictest for a task that falls alone: the power is
        // stated for that case.
        DetectableDrop detectable =
                new DetectableDrop(
                        significanceLevel / 2 / Math.max(1, paired.size()), toleratedDrop, POWER);
        Map<String, Compared> compared = new HashMap<>();
        for (int i = 0; i < paired.size(); i++) {
            PairedOutcome outcome = paired.get(i).outcome();
            compared.put(
                    paired.get(i).task(),
                    new Compared(
                            paired.get(i).championScore(),
                            outcome,
                            outcome.pValue(),
                            falls.adjustedPValues().get(i),
                            detectable.of(outcome.items(), outcome.gainsRate()),
                            falls.tasks().get(i)));
        }
        return compared;
    }

    private Pooled together(PairedOutcome all, Falls falls) {
        double detectable =
                new DetectableDrop(significanceLevel / 2, toleratedDrop, POWER)
                        .of(all.items(), all.gainsRate());
        return new Pooled(all, all.pValue(), detectable, falls.together());
    }

    private static Standing notCompared(TaskResult result, @Nullable TaskResult champion) {
        return switch (result) {
            case Failed failed -> new NotScored(failed.code(), failed.sentence());
            case Scored _ ->
                    switch (champion) {
                        case null -> new NewTask();
                        case Failed failed ->
                                new NotScored(
                                        failed.code(),
                                        "the champion has none: " + failed.sentence());
                        case Scored scored -> new OtherItems(scored.itemsDigest());
                    };
        };
    }
}
