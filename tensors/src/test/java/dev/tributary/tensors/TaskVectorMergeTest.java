package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.tensors.TaskVectorMerge.Scaled;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TaskVectorMergeTest {
    private static final Dtype F32 = Dtype.F32;

    private static MemorySegment of(float... values) {
        return MemorySegment.ofArray(values);
    }

    @Test
    void scaledTaskVectorsAreAddedToTheBase() {
        float[] target = new float[3];

        new TaskVectorMerge(F32, of(1, 2, 3), 3)
                .sum(
                        List.of(
                                new Scaled(F32, of(2, 2, 2), 0.5f),
                                new Scaled(F32, of(1, 6, 3), 0.25f)),
                        MemorySegment.ofArray(target));

        assertThat(target).containsExactly(1.5f, 3, 2.5f);
    }

    @Test
    void halfOfEachOfTwoExpertsIsTheirAverage() {
        int size = 5000;
        SplittableRandom random = new SplittableRandom(1);
        float[][] values = new float[3][size];
        IntStream.range(0, 3 * size)
                .forEach(i -> values[i % 3][i / 3] = (float) random.nextDouble(-1, 1));
        float[] target = new float[size];

        new TaskVectorMerge(F32, of(values[0]), size)
                .sum(
                        List.of(
                                new Scaled(F32, of(values[1]), 0.5f),
                                new Scaled(F32, of(values[2]), 0.5f)),
                        MemorySegment.ofArray(target));

        for (int i = 0; i < size; i++) {
            assertThat(target[i]).isCloseTo((values[1][i] + values[2][i]) / 2, within(2e-7f));
        }
    }

    @Test
    void mixedDtypesMergeAsTheirFp32Values() {
        int size = 4100;
        SplittableRandom random = new SplittableRandom(2);
        float[] base = new float[size];
        float[] expert = new float[size];
        for (int i = 0; i < size; i++) {
            base[i] = random.nextInt(-64, 64) / 64f;
            expert[i] = random.nextInt(-64, 64) / 64f;
        }
        float[] expected = new float[size];
        float[] actual = new float[size];
        new TaskVectorMerge(F32, of(base), size)
                .sum(List.of(new Scaled(F32, of(expert), 0.3f)), MemorySegment.ofArray(expected));

        new TaskVectorMerge(Dtype.BF16, narrowed(Dtype.BF16, base), size)
                .sum(
                        List.of(new Scaled(Dtype.F16, narrowed(Dtype.F16, expert), 0.3f)),
                        MemorySegment.ofArray(actual));

        assertThat(actual).isEqualTo(expected);
    }

    private static MemorySegment narrowed(Dtype dtype, float[] values) {
        MemorySegment target = MemorySegment.ofArray(new byte[values.length * dtype.bytes()]);
        Kernels.narrow(MemorySegment.ofArray(values), dtype, target, values.length);
        return target;
    }
}
