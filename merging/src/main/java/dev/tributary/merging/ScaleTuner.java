package dev.tributary.merging;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.Statistics;
import dev.tributary.models.Head;
import dev.tributary.models.RunningModel;
import dev.tributary.models.Scorer;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Chooses a merge's scale on validation examples: merges with each value into the same memory, one
/// after the other, and scores what comes out, in fp32 whatever type it would be stored in. No
/// candidate is written down.
final class ScaleTuner {
    private static final double NANOS = 1e9;

    private final MergePlan plan;
    private final ScaleGrid grid;
    private final SortedMap<String, ValidationSet> sets;
    private final @Nullable Statistics statistics;
    private final Progress progress;
    private final Map<String, Scorer> scorers = new HashMap<>();

    private ScaleTuner(
            MergePlan plan,
            ScaleGrid grid,
            SortedMap<String, ValidationSet> sets,
            @Nullable Statistics statistics,
            Progress progress) {
        this.plan = plan;
        this.grid = grid;
        this.sets = sets;
        this.statistics = statistics;
        this.progress = progress;
    }

    /// Scores every value of a grid.
    ///
    /// @param sets by task, one for each member
    /// @param statistics what was gathered for the plan, which no scale changes; null for methods
    ///   that ask for none
    /// @throws RefusedException for a NaN or an infinity, with its place, and where a score cannot
    ///   be divided by an expert's own
    static ScaleChoice choose(
            MergePlan plan,
            ScaleGrid grid,
            SortedMap<String, ValidationSet> sets,
            @Nullable Statistics statistics,
            Progress progress) {
        ScaleTuner tuner = new ScaleTuner(plan, grid, sets, statistics, progress);
        try {
            return tuner.choose();
        } finally {
            tuner.scorers.values().forEach(Scorer::close);
        }
    }

    private ScaleChoice choose() {
        SortedMap<String, Digest> validations = new TreeMap<>();
        sets.forEach((task, set) -> validations.put(task, set.digest()));
        SortedMap<String, Double> experts = experts();
        List<MergeMethod> methods = grid.candidates(plan.method());
        List<ScaleChoice.Candidate> candidates = new ArrayList<>();
        long began = System.nanoTime();
        report(0, began);
        try (MergedModel merged = MergedModel.of(plan.with(methods.getFirst()), null, statistics)) {
            for (int i = 0; i < methods.size(); i++) {
                if (i > 0) {
                    merged.fill(plan.with(methods.get(i)), null, statistics);
                }
                candidates.add(candidate(grid.values().get(i), merged, experts));
                report(i + 1, began);
            }
        }
        return new ScaleChoice(grid, experts, validations, candidates);
    }

    /// Every expert's own metric, where scores are divided by it.
    private SortedMap<String, Double> experts() {
        SortedMap<String, Double> own = new TreeMap<>();
        List<Fault> faults = new ArrayList<>();
        List<Member> members =
                grid.score() == ScaleGrid.Score.NORMALIZED ? plan.members() : List.of();
        for (Member member : members) {
            progress.update("scoring experts", own.size(), members.size());
            try (RunningModel model = RunningModel.open(member.expert())) {
                own.put(member.task(), metric(member.task(), model, null));
            }
        }
        own.forEach((task, metric) -> {
            if (!(metric > 0)) {
                faults.add(
                        new Fault(
                                FailureCode.BAD_OPTION,
                                "tune.score",
                                "the expert of %s itself scores %s on its validation set, expected"
                                                .formatted(task, metric)
                                        + " more than 0 to divide by: tune by the plain metric"));
            }
        });
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        return own;
    }

    private ScaleChoice.Candidate candidate(
            double value, MergedModel merged, SortedMap<String, Double> experts) {
        SortedMap<String, Double> metrics = new TreeMap<>();
        for (String task : plan.tasks()) {
            metrics.put(task, metric(task, merged.model(), merged.head(task)));
        }
        double score =
                metrics.entrySet().stream()
                        .mapToDouble(metric ->
                                metric.getValue() / experts.getOrDefault(metric.getKey(), 1.0))
                        .average()
                        .orElseThrow();
        return new ScaleChoice.Candidate(value, score, metrics);
    }

    private double metric(String task, RunningModel model, @Nullable Head head) {
        ValidationSet set = sets.get(task);
        if (set == null) {
            throw new IllegalStateException(
                    "[%s] has no validation set, which its plan should have refused"
                            .formatted(task));
        }
        return scorers.computeIfAbsent(task, _ -> scorer(set)).score(model, head).value();
    }

    private Scorer scorer(ValidationSet set) {
        return Scorer.open(set.task(), set.examples(), plan.base().directory());
    }

    private void report(int done, long began) {
        int all = grid.values().size();
        double each = (System.nanoTime() - began) / NANOS / Math.max(1, done);
        String left =
                done == 0
                        ? ""
                        : String.format(Locale.ROOT, ", about %.0f s left", each * (all - done));
        progress.update("choosing " + grid.option().name() + left, done, all);
    }
}
