package dev.tributary.merging;

import dev.tributary.merging.method.Statistic;
import dev.tributary.models.CalibrationSet;
import dev.tributary.models.Example;
import dev.tributary.models.ExampleGradients;
import dev.tributary.models.Head;
import dev.tributary.models.HeldStretch;
import dev.tributary.models.InputReader;
import dev.tributary.models.ModelConfig;
import dev.tributary.models.RunningModel;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.NonFinite;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Gathers what a method asks to know of running experts: runs each over its task's inputs and sums
/// up, unless that is known from an earlier merge.
///
/// Holds one model in memory whatever the number of experts.
public final class StatisticsGatherer {
    private static final int ROWS_PER_BATCH = 16;

    /// Which inputs are drawn where there are more than the method wants.
    private static final long SEED = 17;

    private final MergePlan plan;
    private final Digest base;
    private final StatisticsCache cache;
    private final Progress progress;
    private final List<SharedTensor> trunk;
    private final GatheredStatistics gathered;

    private StatisticsGatherer(MergePlan plan, Digest base, Path cacheFolder, Progress progress) {
        this.plan = plan;
        this.base = base;
        this.cache = new StatisticsCache(cacheFolder);
        this.progress = progress;
        this.trunk = plan.shared().stream().filter(t -> t.baseDtype().floating()).toList();
        this.gathered = new GatheredStatistics(plan.shared());
    }

    /// One expert with its inputs.
    ///
    /// @param labels of the inputs; empty where the expert's own answers stand in for them
    private record Subject(
            int place,
            Member member,
            Questions questions,
            Map<Statistic, StatisticsCache.Key> keys,
            List<Integer> labels) {}

    /// Gathers everything the plan's method asks for.
    ///
    /// @param base the base's digest
    /// @param cacheFolder where sums are kept between merges
    /// @return to be closed when the merge is done
    /// @throws RefusedException for a NaN or an infinity, with its place
    public static GatheredStatistics gather(
            MergePlan plan, Digest base, Path cacheFolder, Progress progress) {
        StatisticsGatherer gatherer = new StatisticsGatherer(plan, base, cacheFolder, progress);
        try {
            gatherer.gather();
            return gatherer.gathered;
        } catch (RuntimeException e) {
            gatherer.gathered.close();
            throw e;
        }
    }

    private void gather() {
        List<Subject> unknown = new ArrayList<>();
        for (Subject subject : subjects()) {
            subject.keys()
                    .forEach((statistic, key) ->
                            cache.find(key)
                                    .ifPresent(e -> gathered.put(statistic, subject.place(), e)));
            if (!missing(subject).isEmpty()) {
                unknown.add(subject);
            }
        }
        if (unknown.isEmpty()) {
            return;
        }
        try (RunningModel model =
                        Questions.open(
                                plan.base(), unknown.stream().map(Subject::questions).toList());
                Heads heads = Heads.open(model, plan)) {
            for (int i = 0; i < unknown.size(); i++) {
                progress.update("running experts", i, unknown.size());
                Subject subject = unknown.get(i);
                run(subject, model, heads.of(subject.member().task()));
            }
        }
    }

    private Set<Statistic> missing(Subject subject) {
        Set<Statistic> missing = EnumSet.noneOf(Statistic.class);
        for (Statistic statistic : subject.keys().keySet()) {
            if (!gathered.has(statistic, subject.place())) {
                missing.add(statistic);
            }
        }
        return missing;
    }

    private List<Subject> subjects() {
        List<Subject> subjects = new ArrayList<>();
        int positions = ModelConfig.of(plan.base().config(), "base config.json").maxPositions();
        try (InputReader reader = InputReader.open(plan.base())) {
            for (int m = 0; m < plan.members().size(); m++) {
                subjects.add(subject(m, reader, positions));
            }
        }
        return subjects;
    }

    private Subject subject(int place, InputReader reader, int positions) {
        Member member = plan.members().get(place);
        CalibrationSet set = Questions.calibration(member);
        List<Integer> chosen =
                CalibrationSampler.sample(
                        SEED, set.task(), set.inputs().size(), plan.method().calibrationItems());
        List<Example> inputs = chosen.stream().map(set.inputs()::get).toList();
        List<Integer> labels =
                set.labelIds().isEmpty()
                        ? List.of()
                        : chosen.stream().map(set.labelIds()::get).toList();
        Digest content = Digest.ofText(Questions.digest(set, inputs).value() + labels);
        Map<Statistic, StatisticsCache.Key> keys = new TreeMap<>();
        for (Statistic statistic : plan.method().statistics()) {
            keys.put(
                    statistic,
                    new StatisticsCache.Key(
                            statistic,
                            member.digest(),
                            base,
                            content,
                            reader.digest(),
                            set.maxTokens()));
        }
        Questions questions = Questions.of(set, inputs, reader, positions);
        return new Subject(place, member, questions, keys, labels);
    }

    private void run(Subject subject, RunningModel model, @Nullable Head head) {
        become(model, subject);
        CalibrationInputs inputs =
                subject.questions().answered(model, subject.questions().generate(model));
        Set<Statistic> missing = missing(subject);
        Set<Statistic> ofLayers = LayerSums.among(missing);
        if (!ofLayers.isEmpty()) {
            try (LayerSums sums = new LayerSums(ofLayers)) {
                for (int[] items : inputs.byLength(ROWS_PER_BATCH)) {
                    model.watch(head, inputs.batch(items), sums);
                }
                ofLayers.forEach(statistic -> keep(subject, statistic, sums.of(statistic)));
            }
        }
        if (head != null && missing.contains(Statistic.FISHER)) {
            fisher(subject, inputs, model, head);
        }
        if (head != null && missing.contains(Statistic.ABSOLUTE_GRADIENT)) {
            absoluteGradient(subject, inputs, model, head);
        }
    }

    private void fisher(Subject subject, CalibrationInputs inputs, RunningModel model, Head head) {
        try (ExampleGradients gradients =
                new ExampleGradients(model, names(model), ExampleGradients.Measure.SQUARED)) {
            for (int item = 0; item < inputs.size(); item++) {
                gradients.addExpected(head, inputs.batch(item));
            }
            keep(subject, Statistic.FISHER, means(model, gradients));
        }
    }

    private void absoluteGradient(
            Subject subject, CalibrationInputs inputs, RunningModel model, Head head) {
        int[] labels = labels(subject, inputs, model, head);
        becomeBase(model);
        try (ExampleGradients gradients =
                new ExampleGradients(model, names(model), ExampleGradients.Measure.ABSOLUTE)) {
            for (int item = 0; item < inputs.size(); item++) {
                gradients.addLabelled(head, inputs.batch(item), labels[item]);
            }
            keep(subject, Statistic.ABSOLUTE_GRADIENT, means(model, gradients));
        }
    }

    /// The labels given, or what the expert, whose weights the model holds, answers.
    private static int[] labels(
            Subject subject, CalibrationInputs inputs, RunningModel model, Head head) {
        int[] labels = subject.labels().stream().mapToInt(Integer::intValue).toArray();
        if (labels.length > 0) {
            for (int label : labels) {
                if (label >= head.labels()) {
                    throw new RefusedException(
                            new Fault(
                                    FailureCode.LABELS_MISMATCH,
                                    subject.member().task(),
                                    "has a label number %d in its training examples, but its expert"
                                                    .formatted(label)
                                            + " tells %d apart".formatted(head.labels())));
                }
            }
            return labels;
        }
        labels = new int[inputs.size()];
        for (int[] items : inputs.byLength(ROWS_PER_BATCH)) {
            float[] logits = model.logits(head, inputs.batch(items));
            for (int row = 0; row < items.length; row++) {
                labels[items[row]] = largest(logits, row * head.labels(), head.labels());
            }
        }
        return labels;
    }

    private static int largest(float[] logits, int from, int count) {
        int largest = 0;
        for (int i = 1; i < count; i++) {
            if (logits[from + i] > logits[from + largest]) {
                largest = i;
            }
        }
        return largest;
    }

    private List<SummedTensor> means(RunningModel model, ExampleGradients gradients) {
        List<SummedTensor> means = new ArrayList<>();
        for (SharedTensor tensor : trunk) {
            String name = tensor.name();
            if (model.parameters().containsKey(name)) {
                means.add(
                        new SummedTensor(
                                List.of(name),
                                tensor.shape(),
                                model.held(name),
                                gradients.examples(),
                                Dtype.F32,
                                gradients.sum(name),
                                1.0 / gradients.examples()));
            }
        }
        return means;
    }

    /// The parameters that are shared; what the trunk has beyond them is a task's own.
    private List<String> names(RunningModel model) {
        return trunk.stream()
                .map(SharedTensor::name)
                .filter(model.parameters()::containsKey)
                .toList();
    }

    private void keep(Subject subject, Statistic statistic, List<SummedTensor> sums) {
        for (SummedTensor sum : sums) {
            Optional<NonFinite> found =
                    Kernels.firstNonFinite(sum.dtype(), sum.values(), sum.heldElements());
            if (found.isPresent()) {
                throw new RefusedException(
                        MergeExecutor.nonFinite(
                                "%s %s, running"
                                        .formatted(subject.member().task(), sum.names().getFirst()),
                                sum.heldElements(),
                                found.get()));
            }
        }
        gathered.put(
                statistic,
                subject.place(),
                cache.keep(Objects.requireNonNull(subject.keys().get(statistic)), sums));
    }

    /// Writes an expert's own weights into the model.
    private void become(RunningModel model, Subject subject) {
        List<Fault> faults = new ArrayList<>();
        for (SharedTensor tensor : trunk) {
            SharedTensor.Source source = tensor.members().get(subject.place());
            Checkpoint expert = subject.member().expert();
            MergeExecutor.fault(
                            subject.member().task(), tensor, expert.firstNonFinite(source.name()))
                    .ifPresent(faults::add);
            read(expert, source.name(), model, tensor.name());
        }
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
    }

    private void becomeBase(RunningModel model) {
        for (SharedTensor tensor : trunk) {
            read(plan.base(), tensor.baseName(), model, tensor.name());
        }
    }

    private static void read(
            Checkpoint checkpoint, String fileName, RunningModel model, String name) {
        if (model.parameters().containsKey(name)) {
            MemorySegment weights = model.weights(name);
            for (HeldStretch held : model.held(name)) {
                checkpoint.readFloats(
                        fileName,
                        held.from(),
                        MergeExecutor.slice(weights, Float.BYTES, held.heldFrom(), held.count()));
            }
        }
    }
}
