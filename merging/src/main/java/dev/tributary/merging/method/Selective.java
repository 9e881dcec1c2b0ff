package dev.tributary.merging.method;

import dev.tributary.tensors.Fault;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;

/// Any method, applied to some of the tensors, or to some of their entries.
///
/// @param method what happens to those
/// @param selection the tensors
/// @param trustRegion the entries; all of them for methods that do not merge entry by entry
public record Selective(MergeMethod method, TensorSelection selection, TrustRegion trustRegion)
        implements MergeMethod {

    /// A method applied to some of the tensors, to their every entry.
    public Selective(MergeMethod method, TensorSelection selection) {
        this(method, selection, TrustRegion.EVERYWHERE);
    }

    @Override
    public MethodEntry<?> entry() {
        return method.entry();
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return trustRegion.within(inputs, method);
    }

    @Override
    public SequencedMap<String, String> options() {
        SequencedMap<String, String> options = new TreeMap<>(method.options());
        if (!selection.include().isEmpty()) {
            options.put(OptionReader.INCLUDE, String.join(",", selection.include()));
        }
        if (!selection.exclude().isEmpty()) {
            options.put(OptionReader.EXCLUDE, String.join(",", selection.exclude()));
        }
        options.putAll(trustRegion.text());
        return Collections.unmodifiableSequencedMap(options);
    }

    @Override
    public String version() {
        return method.version();
    }

    @Override
    public Needs needs() {
        return trustRegion.runsModels() ? trustRegion.sensitivity().needs() : method.needs();
    }

    @Override
    public int calibrationItems() {
        return trustRegion.runsModels()
                ? trustRegion.calibrationItems()
                : method.calibrationItems();
    }

    @Override
    public Set<Statistic> statistics() {
        return trustRegion.runsModels() ? trustRegion.statistics() : method.statistics();
    }

    @Override
    public LayerStack stack() {
        return method.stack();
    }

    @Override
    public List<Fault> faults(MergeInputs inputs) {
        return method.faults(inputs);
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return trustRegion.cost(tensors, method.cost(tensors));
    }

    @Override
    public <M extends MergeMethod> Optional<M> as(Class<M> kind) {
        return method.as(kind);
    }
}
