package dev.tributary.merging;

import dev.tributary.merging.method.Granularity;
import dev.tributary.merging.method.LearnsCoefficients;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.TensorSelection;
import dev.tributary.merging.method.WeightAveraging;
import dev.tributary.models.Architecture;
import dev.tributary.models.ModelConfig;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.TensorInfo;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Decides from headers and configurations whether checkpoints can be merged, and how; everything
/// that speaks against it is told at once, with the member and the tensor, before a byte of weights
/// is read.
public final class MergePlanner {
    private static final Pattern FOLDER_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

    /// Where the layers of a model are not known.
    static final String ONE_GROUP = "all";

    private static final int NO_GROUP = -1;

    private final Checkpoint base;
    private final List<Member> members;
    private final MergeMethod method;
    private final @Nullable Dtype outputDtype;
    private final Trials trials;
    private final @Nullable VocabularyChoice choice;
    private final List<Fault> faults = new ArrayList<>();

    private MergePlanner(
            Checkpoint base,
            List<Member> members,
            MergeMethod method,
            @Nullable Dtype outputDtype,
            @Nullable VocabularyChoice choice,
            Trials trials) {
        this.base = base;
        this.members = members.stream().sorted(Comparator.comparing(Member::task)).toList();
        this.method = method;
        this.outputDtype = outputDtype;
        this.trials = trials;
        this.choice = choice;
    }

    /// Plans a merge whose tensors keep the base's element types.
    ///
    /// @throws RefusedException with every fault
    public static MergePlan plan(Checkpoint base, List<Member> members, MergeMethod method) {
        return plan(base, members, method, null);
    }

    /// Plans a merge.
    ///
    /// @param outputDtype the element type of merged tensors, or null for the base's own
    /// @throws RefusedException with every fault
    public static MergePlan plan(
            Checkpoint base,
            List<Member> members,
            MergeMethod method,
            @Nullable Dtype outputDtype) {
        return plan(base, members, method, outputDtype, null, Trials.NONE);
    }

    /// Plans a merge of models whose tokens may differ.
    ///
    /// @param outputDtype the element type of merged tensors, or null for the base's own
    /// @param choice which tokens the merged model has; null where all models must have the same
    /// @throws RefusedException with every fault
    public static MergePlan plan(
            Checkpoint base,
            List<Member> members,
            MergeMethod method,
            @Nullable Dtype outputDtype,
            @Nullable VocabularyChoice choice) {
        return plan(base, members, method, outputDtype, choice, Trials.NONE);
    }

    /// Plans a merge that is tried out before it is written.
    static MergePlan plan(
            Checkpoint base,
            List<Member> members,
            MergeMethod method,
            @Nullable Dtype outputDtype,
            @Nullable VocabularyChoice choice,
            Trials trials) {
        return new MergePlanner(base, members, method, outputDtype, choice, trials).plan();
    }

    /// What speaks against one expert as a member of any merge on this base; empty when nothing
    /// does.
    static List<Fault> faultsOf(Checkpoint base, Member member) {
        MergePlanner planner =
                new MergePlanner(
                        base, List.of(member), new WeightAveraging(), null, null, Trials.NONE);
        try {
            planner.plan();
        } catch (RefusedException e) {
            return e.faults();
        }
        return List.of();
    }

    private MergePlan plan() {
        membership();
        if (!method.stack().slices().isEmpty()) {
            return stacked();
        }
        Optional<Architecture> architecture = architecture(base, "base");
        TensorNames baseNames = TensorNames.of(base, architecture, "base", faults);
        List<TensorNames> memberNames = new ArrayList<>();
        for (Member member : members) {
            memberNames.add(TensorNames.of(member.expert(), architecture, member.task(), faults));
        }
        VocabularyPlanner tokens =
                new VocabularyPlanner(
                        base, members, choice, method, baseNames, memberNames, faults);
        Optional<VocabularyPlan> vocabulary = tokens.plan();
        for (Member member : members) {
            faults.addAll(ConfigComparison.faults(base.config(), member, !tokens.tellsOf(member)));
        }
        List<String> groups = new ArrayList<>();
        List<SharedTensor> shared =
                shared(architecture, baseNames, memberNames, groups, tokens, vocabulary);
        SequencedMap<String, List<TaskTensor>> own = new TreeMap<>();
        for (int m = 0; m < members.size(); m++) {
            String task = members.get(m).task();
            own.put(
                    task,
                    TaskTensors.of(task, architecture, baseNames, memberNames.get(m), faults));
            if (runsModels() && architecture.isPresent()) {
                TaskTensors.refuseWithoutHead(
                        method.id(),
                        takesGeneration(method),
                        members.get(m),
                        architecture.get(),
                        own.getOrDefault(task, List.of()),
                        faults);
            }
        }
        PlanInputs inputs = new PlanInputs(base, members, groups, shared, null, null);
        faults.addAll(method.faults(inputs));
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        PlanCost cost = PlanCost.of(method, inputs, shared, trials);
        return new MergePlan(
                base,
                members,
                method,
                architecture,
                shared,
                own,
                groups,
                cost.bytesToRead(),
                cost.bytesToWrite(),
                cost.peakBytes(),
                cost.estimate(),
                vocabulary);
    }

    /// Layers of several models become one model's: nothing is shared, every tensor has one source.
    private MergePlan stacked() {
        if (choice != null && !choice.equals(VocabularyChoice.ofBase())) {
            fault(
                    FailureCode.BAD_OPTION,
                    "tokenizer_source",
                    "was %s, but %s of layers takes the embeddings of one model as they are:"
                                    .formatted(choice.text(), method.id())
                            + " remove it, or expected base");
        }
        if (!method.selection().equals(TensorSelection.ALL)) {
            fault(
                    FailureCode.BAD_OPTION,
                    "include, exclude",
                    "say which tensors are merged, but %s of layers copies all of them: remove both"
                            .formatted(method.id()));
        }
        List<SharedTensor> tensors =
                new StackPlanner(method.stack(), members, outputDtype, faults).tensors();
        PlanInputs inputs = new PlanInputs(base, members, List.of(ONE_GROUP), tensors, null, null);
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        PlanCost cost = PlanCost.of(method, inputs, tensors, trials);
        return new MergePlan(
                base,
                members,
                method,
                Optional.empty(),
                tensors,
                new TreeMap<>(),
                List.of(ONE_GROUP),
                cost.bytesToRead(),
                cost.bytesToWrite(),
                cost.peakBytes(),
                cost.estimate());
    }

    private void membership() {
        if (members.isEmpty()) {
            fault(FailureCode.BAD_OPTION, "members", "there are none, expected at least one");
        }
        Set<String> tasks = new HashSet<>();
        for (Member member : members) {
            if (!FOLDER_NAME.matcher(member.task()).matches()) {
                fault(
                        FailureCode.UNSAFE_PATH,
                        member.task(),
                        "is no name for a folder, expected letters, digits, '.', '_' and '-'");
            }
            if (!tasks.add(member.task())) {
                fault(
                        FailureCode.BAD_OPTION,
                        member.task(),
                        "two members have this task, expected one expert a task");
            }
            if (method.usesCalibration() && member.calibration() == null) {
                fault(
                        FailureCode.CALIBRATION_EMPTY,
                        member.task(),
                        "has no calibration inputs, and %s learns from them"
                                .formatted(method.id()));
            }
            if (method.needs() == MergeMethod.Needs.LABELS
                    && member.calibration() != null
                    && member.calibration().labelIds().isEmpty()) {
                fault(
                        FailureCode.BAD_TASK,
                        member.task(),
                        "has inputs without labels, and %s learns from labels"
                                .formatted(method.id()));
            }
        }
        int most = method.entry().mostExperts();
        if (members.size() > most && method.stack().slices().isEmpty()) {
            fault(
                    FailureCode.BAD_OPTION,
                    "members",
                    "there are %d, but %s takes %d at most: use a method for more, such as"
                                    .formatted(members.size(), method.id(), most)
                            + " multislerp");
        }
    }

    /// Whether a method takes tasks whose answers are generated: Fisher information and trust
    /// regions need the gradient of a label's likelihood.
    public static boolean takesGeneration(MergeMethod method) {
        return LayerSums.among(method.statistics()).containsAll(method.statistics());
    }

    private boolean runsModels() {
        return method.needs().runsModels() || trials.any();
    }

    /// Arithmetic needs no architecture, only the names of heads do; DivMerge runs the model.
    private Optional<Architecture> architecture(Checkpoint checkpoint, String where) {
        try {
            return Optional.of(
                    Architecture.of(ModelConfig.of(checkpoint.config(), where + " config.json")));
        } catch (RefusedException e) {
            if (runsModels()) {
                faults.addAll(e.faults());
            }
            return Optional.empty();
        }
    }

    private List<SharedTensor> shared(
            Optional<Architecture> architecture,
            TensorNames baseNames,
            List<TensorNames> memberNames,
            List<String> groups,
            VocabularyPlanner tokens,
            Optional<VocabularyPlan> vocabulary) {
        Map<String, SharedTensor> byOutputName = new TreeMap<>();
        Map<Integer, List<SharedTensor>> byGroup = new TreeMap<>();
        for (Map.Entry<String, TensorInfo> entry : baseNames.tensors().entrySet()) {
            String name = entry.getKey();
            if (architecture.isPresent() && architecture.get().taskSpecific(name)) {
                continue;
            }
            List<SharedTensor.Source> sources = new ArrayList<>();
            for (int m = 0; m < members.size(); m++) {
                boolean compared = tokens.covers(m, name);
                source(m, name, entry.getValue(), memberNames.get(m), compared)
                        .ifPresent(sources::add);
            }
            if (sources.size() == members.size()) {
                int group = architecture.map(a -> a.groupOf(name)).orElse(0);
                byGroup.computeIfAbsent(group, _ -> new ArrayList<>())
                        .add(
                                tensor(
                                        architecture,
                                        name,
                                        entry.getValue(),
                                        group,
                                        sources,
                                        vocabulary.flatMap(v -> v.of(name))));
            }
        }
        byGroup.forEach((group, tensors) -> {
            if (groupsAreTensors()) {
                tensors.forEach(t -> byOutputName.put(t.outputName(), asGroup(t, groups)));
            } else {
                int index = groups.size();
                groups.add(architecture.map(a -> a.groupNames().get(group)).orElse(ONE_GROUP));
                tensors.forEach(t -> byOutputName.put(t.outputName(), inGroup(t, index)));
            }
        });
        return List.copyOf(byOutputName.values());
    }

    private boolean groupsAreTensors() {
        return method.as(LearnsCoefficients.class)
                .filter(learns -> learns.descent().granularity() == Granularity.TENSOR)
                .isPresent();
    }

    /// A tensor as a group of its own, if it is merged.
    private static SharedTensor asGroup(SharedTensor tensor, List<String> groups) {
        if (!tensor.merged()) {
            return inGroup(tensor, NO_GROUP);
        }
        groups.add(tensor.outputName());
        return inGroup(tensor, groups.size() - 1);
    }

    private SharedTensor tensor(
            Optional<Architecture> architecture,
            String name,
            TensorInfo info,
            int group,
            List<SharedTensor.Source> sources,
            Optional<RowAlignment> alignment) {
        Dtype dtype = outputDtype != null && info.dtype().floating() ? outputDtype : info.dtype();
        String outputName = architecture.map(a -> a.classifierName(name)).orElse(name);
        return new SharedTensor(
                name,
                outputName,
                alignment.map(RowAlignment::shape).orElse(info.shape()),
                group,
                dtype,
                info.name(),
                info.dtype(),
                sources,
                !method.selection().merges(name, outputName, info.name()),
                -1,
                alignment);
    }

    private static SharedTensor inGroup(SharedTensor tensor, int group) {
        return new SharedTensor(
                tensor.name(),
                tensor.outputName(),
                tensor.shape(),
                group,
                tensor.outputDtype(),
                tensor.baseName(),
                tensor.baseDtype(),
                tensor.members(),
                tensor.kept(),
                -1,
                tensor.alignment());
    }

    /// @param compared whether its rows have been compared with the base's already
    private Optional<SharedTensor.Source> source(
            int index, String name, TensorInfo inBase, TensorNames names, boolean compared) {
        Member member = members.get(index);
        TensorInfo info = names.tensors().get(name);
        String where = member.task() + " " + name;
        if (info == null) {
            fault(
                    FailureCode.TENSOR_MISSING,
                    where,
                    "is not in the expert, expected shape %s as in the base"
                            .formatted(inBase.shape()));
            return Optional.empty();
        }
        if (!compared && !info.shape().equals(inBase.shape())) {
            fault(
                    FailureCode.SHAPE_MISMATCH,
                    where,
                    "has shape %s, expected %s as in the base"
                            .formatted(info.shape(), inBase.shape()));
            return Optional.empty();
        }
        boolean fits =
                inBase.dtype().floating()
                        ? info.dtype().floating()
                        : info.dtype() == inBase.dtype();
        if (!fits) {
            fault(
                    FailureCode.DTYPE_MISMATCH,
                    where,
                    "is %s, expected %s as in the base".formatted(info.dtype(), inBase.dtype()));
            return Optional.empty();
        }
        return Optional.of(new SharedTensor.Source(index, info.name(), info.dtype()));
    }

    private void fault(FailureCode code, String where, String sentence) {
        faults.add(new Fault(code, where, sentence));
    }
}
