package dev.tributary.merging.method;

import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/// How the weights of several experts of one base become one model. Parameters are checked on
/// construction, so a method that exists is a method that can run.
public interface MergeMethod {

    /// What a method learns from besides weights.
    enum Needs {
        /// Weights alone.
        NOTHING,
        /// A few unlabelled inputs of every task, and models that run.
        CALIBRATION,
        /// A few labelled examples of every task, and models that run.
        LABELS;

        /// Whether models have to be run.
        public boolean runsModels() {
            return this != NOTHING;
        }
    }

    /// Its place in the catalogue: name, paper, options.
    MethodEntry<?> entry();

    /// Gets ready for one merge; here a method may look at all tensors before the first is merged.
    MergeArithmetic arithmetic(MergeInputs inputs);

    /// The method's name.
    default String id() {
        return entry().id();
    }

    /// Every parameter as text under its name, sorted, as [#of(String, Map)] reads them.
    default SequencedMap<String, String> options() {
        return entry().textOf(this);
    }

    /// Changes whenever the same inputs and options may give other weights.
    default String version() {
        return "1";
    }

    /// What it learns from.
    default Needs needs() {
        return Needs.NOTHING;
    }

    /// Whether the calibration inputs have a part in the result.
    default boolean usesCalibration() {
        return needs().runsModels();
    }

    /// At most how many calibration inputs of a task are used.
    default int calibrationItems() {
        return 64;
    }

    /// What has to be gathered from running models before the merge.
    default Set<Statistic> statistics() {
        return Set.of();
    }

    /// The tensors it is applied to; the others stay as they are in the base.
    default TensorSelection selection() {
        return TensorSelection.ALL;
    }

    /// The entries it is applied to; the others stay as they are in the base.
    default TrustRegion trustRegion() {
        return TrustRegion.EVERYWHERE;
    }

    /// The layers of the new model, where they are taken from several models instead of merged.
    default LayerStack stack() {
        return LayerStack.NONE;
    }

    /// What speaks against these inputs, beyond what speaks against them for every method. Told
    /// from names, shapes and parameters alone: nothing is read.
    default List<Fault> faults(MergeInputs inputs) {
        return List.of();
    }

    /// What it costs.
    default MergeCost cost(List<MergeTensor> tensors) {
        return MergeCost.passes(tensors, 1, 1);
    }

    /// This method, if it is of a kind.
    default <M extends MergeMethod> Optional<M> as(Class<M> kind) {
        return kind.isInstance(this) ? Optional.of(kind.cast(this)) : Optional.empty();
    }

    /// A method from its name and options; an option left out has its default.
    ///
    /// @throws RefusedException with every bad option at once
    static MergeMethod of(String id, Map<String, String> options) {
        return OptionReader.read(id, options);
    }
}
