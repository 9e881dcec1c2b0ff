package dev.tributary.models;

import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.List;
import java.util.SequencedMap;

/// The parameters one task has to itself: its classifier and whatever else its expert has and the
/// trunk lacks, such as a pooler. A running model reads them in the place of its own.
///
/// Belongs to the thread that uses the model at the time. Close it before its model.
public final class Head implements AutoCloseable {
    private final Weights weights;
    private final String outputWeight;

    /// @param outputWeight the parameter whose rows are the labels
    Head(Weights weights, String outputWeight) {
        this.weights = weights;
        this.outputWeight = outputWeight;
    }

    Weights store() {
        return weights;
    }

    /// How many labels it tells apart.
    public int labels() {
        return Math.toIntExact(weights.shape(outputWeight).getFirst());
    }

    /// Canonical names and shapes.
    public SequencedMap<String, List<Long>> parameters() {
        return weights.shapes();
    }

    /// The live, writable values of a parameter, fp32.
    public MemorySegment weights(String canonicalName) {
        return weights.values(canonicalName);
    }

    /// To be told of writing to values that were asked for earlier, as [RunningModel#rewritten].
    public void rewritten() {
        weights.rewritten();
    }

    /// The live gradient of a parameter, fp32, as [RunningModel#gradient].
    public MemorySegment gradient(String canonicalName) {
        return weights.gradient(canonicalName);
    }

    /// Which of its parameters get gradients; none until this is called.
    public void train(Collection<String> canonicalNames) {
        weights.train(canonicalNames);
    }

    public void zeroGradients() {
        weights.zeroGradients();
    }

    @Override
    public void close() {
        weights.close();
    }
}
