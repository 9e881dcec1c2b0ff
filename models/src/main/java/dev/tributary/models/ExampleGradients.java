package dev.tributary.models;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Function;

/// Sums, over examples, of what is taken of each one's own gradient: its magnitude or its square.
/// That is another quantity than the magnitude or the square of a batch's gradient, in which
/// examples cancel; so texts come one at a time.
///
/// Gradients are those of the log-likelihood of a label. The model's trained parameters are set by
/// this class.
public final class ExampleGradients implements AutoCloseable {
    private static final long ALIGNMENT = 64;
    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT;

    /// What is taken of a gradient.
    public enum Measure {
        ABSOLUTE,
        SQUARED
    }

    private final Arena arena = Arena.ofShared();
    private final RunningModel model;
    private final Measure measure;
    private final SequencedMap<String, MemorySegment> sums = new LinkedHashMap<>();
    private long examples;

    /// @param names canonical names of the parameters that are looked at
    public ExampleGradients(RunningModel model, Collection<String> names, Measure measure) {
        this.model = model;
        this.measure = measure;
        for (String name : names) {
            sums.put(name, arena.allocate(model.weights(name).byteSize(), ALIGNMENT));
        }
        model.train(sums.keySet());
    }

    /// Adds one text with its label.
    ///
    /// @param text a batch of one
    public void addLabelled(Head head, Batch text, int label) {
        add(
                head,
                text,
                logits -> {
                    float[] gradient = logits.clone();
                    LogSoftmax.inPlace(gradient, 1, gradient.length);
                    for (int i = 0; i < gradient.length; i++) {
                        gradient[i] = (float) ((i == label ? 1 : 0) - Math.exp(gradient[i]));
                    }
                    return List.of(gradient);
                });
    }

    /// Adds one text with every label it may have, each as much as the model holds it likely: the
    /// expectation over the model's own answers, up to a thousandth of the answers' variance.
    ///
    /// @param text a batch of one
    public void addExpected(Head head, Batch text) {
        if (measure != Measure.SQUARED) {
            throw new IllegalStateException("only squares can be expected");
        }
        add(head, text, AnswerCovariance::factors);
    }

    private void add(Head head, Batch text, Function<float[], List<float[]>> derivatives) {
        if (text.rows() != 1) {
            throw new IllegalArgumentException(
                    "gradients are taken of one text at a time, was given %d"
                            .formatted(text.rows()));
        }
        model.backwardEach(head, text, derivatives, this::accumulate);
        examples++;
    }

    private void accumulate() {
        sums.forEach((name, sum) -> {
            MemorySegment gradient = model.gradient(name);
            int count = Math.toIntExact(sum.byteSize() / Float.BYTES);
            if (measure == Measure.SQUARED) {
                addSquares(gradient, sum, count);
            } else {
                addMagnitudes(gradient, sum, count);
            }
        });
    }

    private static void addSquares(MemorySegment gradient, MemorySegment sum, int count) {
        for (int i = 0; i < count; i++) {
            float g = gradient.getAtIndex(F32, i);
            sum.setAtIndex(F32, i, sum.getAtIndex(F32, i) + g * g);
        }
    }

    private static void addMagnitudes(MemorySegment gradient, MemorySegment sum, int count) {
        for (int i = 0; i < count; i++) {
            float g = Math.abs(gradient.getAtIndex(F32, i));
            sum.setAtIndex(F32, i, sum.getAtIndex(F32, i) + g);
        }
    }

    /// How many texts were added.
    public long examples() {
        return examples;
    }

    /// The sum for one parameter, fp32, as the model holds it; valid until this is closed.
    public MemorySegment sum(String name) {
        MemorySegment sum = sums.get(name);
        if (sum == null) {
            throw new IllegalArgumentException("[%s] is not looked at".formatted(name));
        }
        return sum;
    }

    @Override
    public void close() {
        model.train(List.of());
        arena.close();
    }
}
