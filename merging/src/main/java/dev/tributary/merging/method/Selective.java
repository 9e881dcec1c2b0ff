package dev.tributary.merging.method;

import dev.tributary.tensors.Fault;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;

/// Any method, applied to some of the tensors.
///
/// @param method what happens to those
public record Selective(MergeMethod method, TensorSelection selection) implements MergeMethod {

    @Override
    public MethodEntry<?> entry() {
        return method.entry();
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return method.arithmetic(inputs);
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
        return Collections.unmodifiableSequencedMap(options);
    }

    @Override
    public String version() {
        return method.version();
    }

    @Override
    public Needs needs() {
        return method.needs();
    }

    @Override
    public int calibrationItems() {
        return method.calibrationItems();
    }

    @Override
    public Set<Statistic> statistics() {
        return method.statistics();
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
        return method.cost(tensors);
    }

    @Override
    public <M extends MergeMethod> Optional<M> as(Class<M> kind) {
        return method.as(kind);
    }
}
