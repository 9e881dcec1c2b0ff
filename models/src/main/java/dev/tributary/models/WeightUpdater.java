package dev.tributary.models;

import dev.tributary.tensors.AdamW;
import dev.tributary.tensors.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// Takes AdamW steps on live weights, with one learning rate for the encoder and one for what is
/// new, and gradients clipped by their common norm (Pascanu et al. 2013, algorithm 1).
final class WeightUpdater implements AutoCloseable {
    private static final long ALIGNMENT = 64;

    private record Slot(
            MemorySegment weights,
            Supplier<MemorySegment> gradient,
            MemorySegment firstMoment,
            MemorySegment secondMoment,
            MemorySegment best,
            double learningRate,
            double decay) {}

    private final Arena arena = Arena.ofShared();
    private final List<Slot> slots = new ArrayList<>();
    private final double clipNorm;
    private long step;

    WeightUpdater(double clipNorm) {
        this.clipNorm = clipNorm;
    }

    /// Adds a parameter.
    ///
    /// @param gradient where its gradient lies after a backward pass
    void add(
            MemorySegment weights,
            Supplier<MemorySegment> gradient,
            double learningRate,
            double decay) {
        long bytes = weights.byteSize();
        slots.add(
                new Slot(
                        weights,
                        gradient,
                        arena.allocate(bytes, ALIGNMENT),
                        arena.allocate(bytes, ALIGNMENT),
                        arena.allocate(bytes, ALIGNMENT),
                        learningRate,
                        decay));
    }

    /// One step along the gradients.
    ///
    /// @param scale of the learning rates, from the schedule
    void step(double scale) {
        step++;
        List<MemorySegment> gradients = slots.stream().map(slot -> slot.gradient().get()).toList();
        clip(gradients);
        forEachSlot(i -> {
            Slot slot = slots.get(i);
            Kernels.adamW(
                    AdamW.of(slot.learningRate() * scale, slot.decay()),
                    step,
                    slot.weights(),
                    gradients.get(i),
                    slot.firstMoment(),
                    slot.secondMoment(),
                    count(slot.weights()));
        });
    }

    private void clip(List<MemorySegment> gradients) {
        double[] squares = new double[gradients.size()];
        forEachSlot(
                i -> squares[i] = Kernels.squaredNorm(gradients.get(i), count(gradients.get(i))));
        double norm = Math.sqrt(Arrays.stream(squares).sum());
        if (!Double.isFinite(norm)) {
            throw new ArithmeticException(
                    "the gradient is not finite at step %d: lower the learning rate"
                            .formatted(step));
        }
        if (norm > clipNorm) {
            float shortening = (float) (clipNorm / norm) - 1;
            forEachSlot(i -> {
                MemorySegment gradient = gradients.get(i);
                Kernels.axpy(shortening, gradient, gradient, count(gradient));
            });
        }
    }

    /// Parameters are independent of each other, so the number of threads changes no result.
    private void forEachSlot(IntConsumer action) {
        IntStream all = IntStream.range(0, slots.size());
        if (TorchEngine.threads() > 1) {
            all.parallel().forEach(action);
        } else {
            all.forEach(action);
        }
    }

    private static long count(MemorySegment floats) {
        return floats.byteSize() / Float.BYTES;
    }

    /// Remembers the weights as they are now.
    void keep() {
        slots.forEach(slot -> slot.best().copyFrom(slot.weights()));
    }

    /// Puts back the weights remembered.
    void restore() {
        slots.forEach(slot -> slot.weights().copyFrom(slot.best()));
    }

    @Override
    public void close() {
        arena.close();
    }
}
