package dev.tributary.merging;

import dev.tributary.merging.method.LearnsCoefficients;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.models.CalibrationSet;
import dev.tributary.models.Example;
import dev.tributary.models.ModelConfig;
import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Merges the experts of a base into a folder: opens, plans, learns coefficients where the method
/// does, streams the merge to disk. The one way in for workers, command line and tests.
public final class PoolMerger {
    private final MergeRequest request;
    private final Colleagues colleagues;
    private final boolean unidentified;
    private final List<Fault> faults = new ArrayList<>();
    private final List<Checkpoint> open = new ArrayList<>();
    private final Set<String> unreadable = new HashSet<>();
    private final SortedMap<String, ValidationSet> validations = new TreeMap<>();

    private PoolMerger(MergeRequest request) {
        this(request, Colleagues.NONE, false);
    }

    private PoolMerger(MergeRequest request, Colleagues colleagues, boolean unidentified) {
        this.request = request;
        this.colleagues = colleagues;
        this.unidentified = unidentified;
    }

    /// Carries a recipe out. Its models are identified while they are merged, but for methods that
    /// run them, whose outputs are kept under what the models are.
    ///
    /// @throws RefusedException with every fault of its inputs; nothing useful is then in the
    ///   target folder
    public static MergeResult merge(
            Recipe recipe, Path cacheFolder, Path targetFolder, Progress progress) {
        if (recipe.method().needs().runsModels()) {
            return merge(MergeRequest.of(recipe, cacheFolder, targetFolder), progress);
        }
        MergeRequest request = RecipeRequest.unidentified(recipe, cacheFolder, targetFolder);
        return carryOut(new PoolMerger(request, Colleagues.NONE, true), progress);
    }

    /// Carries a request out.
    ///
    /// @throws RefusedException with every fault of its inputs; nothing useful is then in the
    ///   target folder
    public static MergeResult merge(MergeRequest request, Progress progress) {
        return merge(request, Colleagues.NONE, progress);
    }

    /// Carries a request out with others' help, where the method has shares to give away.
    ///
    /// @throws RefusedException with every fault of its inputs; nothing useful is then in the
    ///   target folder
    public static MergeResult merge(
            MergeRequest request, Colleagues colleagues, Progress progress) {
        return carryOut(new PoolMerger(request, colleagues, false), progress);
    }

    /// Gets ready to answer the questions of a descent that somebody else carries out.
    ///
    /// @param request as that one has it; nothing is written
    /// @throws RefusedException with every fault of its inputs, or where the method learns nothing
    public static MergeAssistant assist(MergeRequest request, Progress progress) {
        PoolMerger merger = new PoolMerger(request);
        try {
            MergePlan plan = merger.plan();
            LearnsCoefficients method =
                    plan.method()
                            .as(LearnsCoefficients.class)
                            .orElseThrow(() ->
                                    new RefusedException(
                                            new Fault(
                                                    FailureCode.UNKNOWN_METHOD,
                                                    "method",
                                                    "%s learns no coefficients: nobody can help"
                                                            .formatted(plan.method().id()))));
            DescentBench bench =
                    DescentBench.open(
                            plan, method, request.baseDigest(), request.cacheFolder(), progress);
            return new MergeAssistant(bench, method.descent().shares(), merger.open);
        } catch (RuntimeException | Error e) {
            merger.open.forEach(Checkpoint::close);
            throw e;
        }
    }

    private static MergeResult carryOut(PoolMerger merger, Progress progress) {
        try {
            return merger.run(progress);
        } finally {
            merger.open.forEach(Checkpoint::close);
        }
    }

    /// Only plans: what would be read, written and held in memory.
    ///
    /// @return the plan; its checkpoints are closed, so it is to be read, not carried out
    /// @throws RefusedException with every fault of its inputs
    public static MergePlan plan(MergeRequest request) {
        PoolMerger merger = new PoolMerger(request);
        try {
            return merger.plan();
        } finally {
            merger.open.forEach(Checkpoint::close);
        }
    }

    /// Only plans a recipe, from headers and configurations: nothing is digested.
    ///
    /// @return the plan; its checkpoints are closed, so it is to be read, not carried out
    /// @throws RefusedException with every fault of its inputs
    public static MergePlan plan(Recipe recipe) {
        return plan(RecipeRequest.unidentified(recipe));
    }

    private MergeResult run(Progress progress) {
        long began = System.nanoTime();
        MergePlan plan = plan();
        DivMergeResult learnt =
                plan.method().as(LearnsCoefficients.class).isPresent()
                        ? DivMergeOptimizer.optimise(
                                plan,
                                request.baseDigest(),
                                request.previous(),
                                request.cacheFolder(),
                                unidentified ? null : Lineage.identity(plan, request.baseDigest()),
                                colleagues,
                                progress)
                        : null;
        try (GatheredStatistics statistics = statistics(plan, progress)) {
            ScaleChoice tuning = tuning(plan, statistics, progress);
            MergePlan scaled = tuning == null ? plan : tuning.applied(plan);
            return write(scaled, learnt, tuning, statistics, began, progress);
        }
    }

    private @Nullable ScaleChoice tuning(
            MergePlan plan, @Nullable GatheredStatistics statistics, Progress progress) {
        ScaleGrid grid = request.tune();
        return grid == null
                ? null
                : ScaleTuner.choose(plan, grid, validations, statistics, progress);
    }

    private MergeResult write(
            MergePlan plan,
            @Nullable DivMergeResult learnt,
            @Nullable ScaleChoice tuning,
            @Nullable GatheredStatistics statistics,
            long began,
            Progress progress) {
        GenerationIdentity identity = Lineage.identity(plan, request.baseDigest());
        Lineage lineage =
                new Lineage(
                        identity,
                        request.baseDigest(),
                        request.provenance(),
                        learnt,
                        tuning,
                        unidentified ? new InputSums(plan) : null);
        GenerationFiles files =
                GenerationWriter.write(plan, lineage, statistics, request.targetFolder(), progress);
        SortedMap<String, Double> norms =
                request.provenance().pool() == null ? new TreeMap<>() : TaskVectorNorms.of(plan);
        return new MergeResult(
                files.identity(),
                plan.groups(),
                learnt,
                tuning,
                norms,
                files,
                plan.bytesToRead(),
                plan.bytesToWrite(),
                Duration.ofNanos(System.nanoTime() - began));
    }

    private @Nullable GatheredStatistics statistics(MergePlan plan, Progress progress) {
        return plan.method().statistics().isEmpty()
                ? null
                : StatisticsGatherer.gather(
                        plan, request.baseDigest(), request.cacheFolder(), progress);
    }

    private MergePlan plan() {
        Checkpoint base = checkpoint(request.base(), null);
        List<Member> members = new ArrayList<>();
        for (MergeRequest.RequestedMember member : request.members()) {
            Checkpoint expert = checkpoint(member.expert(), base);
            CalibrationSet calibration = calibration(member, expert);
            if (expert != null) {
                validation(member, expert);
                members.add(
                        new Member(
                                member.task(),
                                expert,
                                member.digest(),
                                calibration,
                                member.settings()));
            }
        }
        if (base == null || members.size() < request.members().size()) {
            throw new RefusedException(faults);
        }
        try {
            MergePlan plan =
                    MergePlanner.plan(
                            base,
                            members,
                            request.method(),
                            request.outputDtype(),
                            request.vocabulary(),
                            trials());
            if (faults.isEmpty()) {
                return plan;
            }
        } catch (RefusedException e) {
            e.faults().stream().filter(fault -> !known(fault)).forEach(faults::add);
        }
        throw new RefusedException(faults);
    }

    /// Whether it is only said that inputs are missing where it was said why.
    private boolean known(Fault fault) {
        return fault.code() == FailureCode.CALIBRATION_EMPTY && unreadable.contains(fault.where());
    }

    /// @param base of an adapter; null where none can be
    private @Nullable Checkpoint checkpoint(Path folder, @Nullable Checkpoint base) {
        try {
            Checkpoint checkpoint =
                    base != null && Checkpoint.isAdapter(folder)
                            ? Checkpoint.openAdapter(folder, base)
                            : Checkpoint.open(folder);
            open.add(checkpoint);
            return checkpoint;
        } catch (RefusedException e) {
            faults.addAll(e.faults());
            return null;
        }
    }

    private Trials trials() {
        ScaleGrid grid = request.tune();
        return grid == null
                ? Trials.NONE
                : new Trials(
                        grid.values().size(),
                        validations.values().stream()
                                .mapToLong(set -> set.examples().size())
                                .sum());
    }

    /// The examples a scale is chosen by, where one is.
    private void validation(MergeRequest.RequestedMember member, Checkpoint expert) {
        ScaleGrid grid = request.tune();
        if (grid == null) {
            return;
        }
        Path definition = member.taskDefinition();
        if (definition == null) {
            faults.add(
                    new Fault(
                            FailureCode.UNKNOWN_TASK,
                            member.task(),
                            "has no task definition, expected one with a validation file to choose"
                                    + " %s by".formatted(grid.option().name())));
            return;
        }
        try {
            ValidationSet set = ValidationSet.read(definition, grid.validationItems());
            String where = member.task() + " config.json";
            faults.addAll(set.task().labelFaults(ModelConfig.of(expert.config(), where), where));
            validations.put(member.task(), set);
        } catch (RefusedException e) {
            faults.addAll(e.faults());
        }
    }

    /// The inputs a method may learn from. Of a staged task only the calibration file is opened.
    private @Nullable CalibrationSet calibration(
            MergeRequest.RequestedMember member, @Nullable Checkpoint expert) {
        Path definition = member.taskDefinition();
        if (definition == null || !request.method().usesCalibration()) {
            return null;
        }
        try {
            refuseUnlessAsked(definition, member.task(), expert);
            if (request.method().needs() == MergeMethod.Needs.LABELS) {
                return labelled(member.task(), definition);
            }
            return staged(definition)
                    ? CalibrationSet.read(definition)
                    : calibration(
                            TaskDefinition.read(definition), request.method().calibrationItems());
        } catch (RefusedException e) {
            faults.addAll(e.faults());
            unreadable.add(member.task());
            return null;
        }
    }

    /// What a task asks for must be what its expert does.
    private static void refuseUnlessAsked(
            Path definition, String task, @Nullable Checkpoint expert) {
        if (expert == null) {
            return;
        }
        TaskDefinition asked =
                staged(definition)
                        ? TaskDefinition.readStaged(definition)
                        : TaskDefinition.read(definition);
        String where = task + " config.json";
        ModelConfig config;
        try {
            config = ModelConfig.of(expert.config(), where);
        } catch (RefusedException _) {
            return; // told of the base
        }
        List<Fault> faults = asked.kindFaults(config, where);
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
    }

    /// Training examples with their labels; a staged task holds none.
    private CalibrationSet labelled(String task, Path definition) {
        if (staged(definition)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.BAD_TASK,
                            task,
                            "has inputs without labels, and %s is to learn from labels: set %s"
                                            .formatted(
                                                    request.method().id(),
                                                    request.method().trustRegion().leavesOut()
                                                            ? "trust_region"
                                                            : "labels")
                                    + " to predicted to take the expert's own answers"));
        }
        return CalibrationSet.labelled(
                TaskDefinition.read(definition), request.method().calibrationItems());
    }

    private static boolean staged(Path definition) {
        return Files.isRegularFile(definition.resolve("task.yaml"))
                && Files.isRegularFile(definition.resolve("calibration.jsonl"));
    }

    private static CalibrationSet calibration(TaskDefinition task, int items) {
        List<Example> inputs = task.calibration(items);
        return CalibrationSet.unlabelled(task, inputs, TeacherCache.Key.of(inputs));
    }
}
