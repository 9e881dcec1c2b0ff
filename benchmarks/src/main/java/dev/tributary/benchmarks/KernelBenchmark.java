package dev.tributary.benchmarks;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.MagnitudeBracket;
import dev.tributary.tensors.TaskVectorMerge;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// Nanoseconds an element of the loops a merge spends its time in, over operands that fit the
/// second-level cache.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class KernelBenchmark {
    private static final int ELEMENTS = 1 << 14;
    private static final int LOW = Float.floatToRawIntBits(0.0125f);
    private static final int HIGH = Float.floatToRawIntBits(0.0135f);

    /// Element type of base and experts.
    @Param({"BF16", "F16", "F32"})
    public Dtype dtype = Dtype.BF16;

    /// Experts of a linear combination.
    @Param({"3"})
    public int experts = 3;

    private final Arena arena = Arena.ofAuto();
    private final List<TaskVectorMerge.Scaled> scaled = new ArrayList<>();
    private MemorySegment base = MemorySegment.NULL;
    private MemorySegment expert = MemorySegment.NULL;
    private MemorySegment target = MemorySegment.NULL;
    private MemorySegment floats = MemorySegment.NULL;
    private MemorySegment more = MemorySegment.NULL;
    private MagnitudeBracket bracket = new MagnitudeBracket(LOW, HIGH, ELEMENTS);

    /// Fills the operands with numbers of a model's size.
    @Setup
    public void fill() {
        SplittableRandom random = new SplittableRandom(1);
        base = stored(random);
        scaled.clear();
        for (int e = 0; e < experts; e++) {
            expert = stored(random);
            scaled.add(new TaskVectorMerge.Scaled(dtype, expert, 0.3f));
        }
        target = arena.allocate((long) ELEMENTS * dtype.bytes(), 64);
        floats = floats(random);
        more = floats(random);
        bracket = new MagnitudeBracket(LOW, HIGH, ELEMENTS);
    }

    private MemorySegment stored(SplittableRandom random) {
        MemorySegment stored = arena.allocate((long) ELEMENTS * dtype.bytes(), 64);
        Kernels.narrow(floats(random), dtype, stored, ELEMENTS);
        return stored;
    }

    private MemorySegment floats(SplittableRandom random) {
        MemorySegment values = arena.allocate((long) ELEMENTS * Float.BYTES, 64);
        for (int i = 0; i < ELEMENTS; i++) {
            values.set(
                    java.lang.foreign.ValueLayout.JAVA_FLOAT,
                    (long) i * Float.BYTES,
                    (float) random.nextGaussian() / 100);
        }
        return values;
    }

    /// `base + sum of coefficient * (expert - base)`, rounded, looked through for NaNs.
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public boolean combination() {
        return new TaskVectorMerge(dtype, base, ELEMENTS).round(scaled, dtype, target);
    }

    /// Magnitudes of one task vector counted around a cut.
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public MagnitudeBracket trim() {
        bracket.add(dtype, expert, dtype, base, ELEMENTS);
        return bracket;
    }

    /// `expert - base` in fp32.
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public MemorySegment difference() {
        Kernels.difference(dtype, expert, dtype, base, floats, ELEMENTS);
        return floats;
    }

    /// The inner product of a gradient with a task vector, in fp64.
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public double innerProduct() {
        return Kernels.dotDifference(floats, dtype, expert, dtype, base, ELEMENTS);
    }

    /// Reading as fp32.
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public MemorySegment widen() {
        Kernels.widen(dtype, expert, 0, floats, ELEMENTS);
        return floats;
    }

    /// Rounding from fp32.
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public MemorySegment narrow() {
        Kernels.narrow(more, dtype, target, ELEMENTS);
        return target;
    }

    /// `sum += coefficient * (expert - base)` in fp32.
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public MemorySegment accumulation() {
        Kernels.accumulateDifference(floats, 1e-9f, dtype, expert, dtype, base, ELEMENTS);
        return floats;
    }

    /// `y += a x` in fp32.
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public MemorySegment axpy() {
        Kernels.axpy(1e-9f, more, floats, ELEMENTS);
        return floats;
    }

    /// The inner product of fp32 vectors, in fp64.
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public double dot() {
        return Kernels.dot(more, floats, ELEMENTS);
    }

    /// NaNs and infinities counted.
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public long nonFinite() {
        return Kernels.countNonFinite(dtype, expert, ELEMENTS);
    }

    /// What a machine allows at most: as many bytes of the element type, copied.
    @Benchmark
    @OperationsPerInvocation(ELEMENTS)
    public MemorySegment copy() {
        MemorySegment.copy(expert, 0, target, 0, (long) ELEMENTS * dtype.bytes());
        return target;
    }
}
