package dev.tributary.models;

import dev.tributary.tensors.AdamW;
import dev.tributary.tensors.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

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
            double decay) {
        long count() {
            return weights.byteSize() / Float.BYTES;
        }
    }

    private final Arena arena = Arena.ofConfined();
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
        for (int i = 0; i < slots.size(); i++) {
            Slot slot = slots.get(i);
            Kernels.adamW(
                    AdamW.of(slot.learningRate() * scale, slot.decay()),
                    step,
                    slot.weights(),
                    gradients.get(i),
                    slot.firstMoment(),
                    slot.secondMoment(),
                    slot.count());
        }
    }

    private void clip(List<MemorySegment> gradients) {
        double squares = 0;
        for (MemorySegment gradient : gradients) {
            squares += Kernels.squaredNorm(gradient, gradient.byteSize() / Float.BYTES);
        }
        double norm = Math.sqrt(squares);
        if (!Double.isFinite(norm)) {
            throw new ArithmeticException(
                    "the gradient is not finite at step %d: lower the learning rate"
                            .formatted(step));
        }
        if (norm > clipNorm) {
            float shortening = (float) (clipNorm / norm) - 1;
            for (MemorySegment gradient : gradients) {
                Kernels.axpy(shortening, gradient, gradient, gradient.byteSize() / Float.BYTES);
            }
        }
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
