package dev.tributary.merging;

import dev.tributary.merging.method.Granularity;
import dev.tributary.merging.method.LearnsCoefficients;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Learns coefficients: DivMerge's (arXiv 2509.02108), for which it runs every expert once over its
/// task's calibration inputs, keeps its answers, and moves the coefficients until the merged model
/// answers alike; or those of another method with another loss.
///
/// Holds one model in memory whatever the number of experts, plus its gradients; experts are read
/// from their mapped files.
public final class DivMergeOptimizer {
    private final MergePlan plan;
    private final Digest base;
    private final LearnsCoefficients method;
    private final Path cacheFolder;
    private final @Nullable GenerationIdentity identity;
    private final Colleagues colleagues;
    private final Progress progress;

    private DivMergeOptimizer(
            MergePlan plan,
            Digest base,
            Path cacheFolder,
            @Nullable GenerationIdentity identity,
            Colleagues colleagues,
            Progress progress) {
        this.plan = plan;
        this.base = base;
        this.cacheFolder = cacheFolder;
        this.identity = identity;
        this.colleagues = colleagues;
        this.method =
                plan.method()
                        .as(LearnsCoefficients.class)
                        .orElseThrow(() ->
                                new IllegalArgumentException(
                                        "[optimizer] %s learns no coefficients"
                                                .formatted(plan.method().id())));
        this.progress = progress;
    }

    /// Learns the coefficients of a plan.
    ///
    /// @param base the base's digest
    /// @param previous coefficients to start from, usually the last generation's; null to start
    ///   where the method does
    /// @param cacheFolder where experts' answers are kept between runs, and how far a run has come
    /// @param identity names what is merged, so that a run that is cut off goes on where it was;
    ///   null where it has no name, and always begins anew
    /// @param colleagues who else may work on it; the result does not depend on them
    /// @throws RefusedException for a NaN or an infinity in any checkpoint, with its place
    public static DivMergeResult optimise(
            MergePlan plan,
            Digest base,
            @Nullable Coefficients previous,
            Path cacheFolder,
            @Nullable GenerationIdentity identity,
            Colleagues colleagues,
            Progress progress) {
        return new DivMergeOptimizer(plan, base, cacheFolder, identity, colleagues, progress)
                .optimise(previous);
    }

    private DivMergeResult optimise(@Nullable Coefficients given) {
        List<String> tasks = plan.tasks();
        if (tasks.size() == 1) {
            return nothingToLearn(tasks.getFirst());
        }
        Coefficients previous = given != null && given.isStartFor(tasks) ? given : null;
        Coefficients start =
                previous == null
                        ? Coefficients.uniform(
                                granularity(), tasks, plan.groups(), method.start(tasks.size()))
                        : previous.startFor(
                                granularity(), tasks, plan.groups(), plan.layerOfTensor());
        try (DescentBench bench = DescentBench.open(plan, method, base, cacheFolder, progress)) {
            return descended(
                    SharedObjective.of(bench, method.descent().shares(), colleagues),
                    bench.tasks(),
                    start,
                    Pace.of(method.descent(), tasks, previous));
        }
    }

    private DivMergeResult descended(
            Objective objective, List<DivMergeTask> tasks, Coefficients start, Pace pace) {
        Optional<AnswerJournal> journal =
                identity == null
                        ? Optional.empty()
                        : AnswerJournal.open(
                                cacheFolder,
                                "%s\n%s\n%s".formatted(identity.digest(), start, pace));
        if (journal.isEmpty()) {
            return descend(objective, tasks, start, pace);
        }
        try (AnswerJournal kept = journal.get()) {
            return descend(new JournaledObjective(objective, kept), tasks, start, pace);
        }
    }

    private DivMergeResult descend(
            Objective objective, List<DivMergeTask> tasks, Coefficients start, Pace pace) {
        return switch (method.solver()) {
            case ADAM -> new Descent(objective, method, tasks, start, pace, progress).run();
            case LBFGS ->
                    new LbfgsDescent(
                                    objective,
                                    method.id(),
                                    method.descent(),
                                    tasks,
                                    start,
                                    progress)
                            .run();
        };
    }

    private Granularity granularity() {
        return method.descent().granularity();
    }

    /// One expert, whole: its divergence from itself is zero.
    private DivMergeResult nothingToLearn(String task) {
        Coefficients whole = Coefficients.uniform(granularity(), List.of(task), plan.groups(), 1.0);
        SequencedMap<String, Double> none =
                Collections.unmodifiableSequencedMap(new TreeMap<>(java.util.Map.of(task, 0.0)));
        return new DivMergeResult(whole, whole, none, none, List.of(new LossPoint(0, 0.0)), 0, 0);
    }
}
