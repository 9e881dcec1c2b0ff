package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MagnitudeHistogramTest {
    private static final int[] SIZES = {1, 15, 4097, 30_000};

    private record Tensors(Dtype dtype, List<MemorySegment> experts, List<MemorySegment> bases) {
        void addTo(MagnitudeHistogram histogram) {
            for (int i = 0; i < SIZES.length; i++) {
                histogram.add(dtype, experts.get(i), dtype, bases.get(i), SIZES[i]);
            }
        }

        /// In another order than the first pass.
        void addTo(MagnitudeHistogram.Refinement refinement) {
            for (int i = SIZES.length - 1; i >= 0; i--) {
                refinement.add(dtype, experts.get(i), dtype, bases.get(i), SIZES[i]);
            }
        }

        float[] sortedMagnitudes() {
            float[] all = new float[Arrays.stream(SIZES).sum()];
            int at = 0;
            for (int t = 0; t < SIZES.length; t++) {
                float[] expert = new float[SIZES[t]];
                float[] base = new float[SIZES[t]];
                Kernels.widen(dtype, experts.get(t), 0, MemorySegment.ofArray(expert), SIZES[t]);
                Kernels.widen(dtype, bases.get(t), 0, MemorySegment.ofArray(base), SIZES[t]);
                for (int i = 0; i < SIZES[t]; i++) {
                    all[at++] = Math.abs(expert[i] - base[i]);
                }
            }
            Arrays.sort(all);
            return all;
        }
    }

    private static Tensors tensors(Dtype dtype) {
        SplittableRandom random = new SplittableRandom(3);
        List<MemorySegment> experts = new ArrayList<>();
        List<MemorySegment> bases = new ArrayList<>();
        for (int t = 0; t < SIZES.length; t++) {
            float[] base = new float[SIZES[t]];
            float[] expert = new float[SIZES[t]];
            for (int i = 0; i < SIZES[t]; i++) {
                base[i] = (float) random.nextGaussian() * 0.02f;
                expert[i] = random.nextInt(4) == 0 ? base[i] : base[i] + random(random);
            }
            bases.add(narrowed(dtype, base));
            experts.add(narrowed(dtype, expert));
        }
        return new Tensors(dtype, experts, bases);
    }

    private static float random(SplittableRandom random) {
        return (float) random.nextGaussian() * 0.001f;
    }

    private static MemorySegment narrowed(Dtype dtype, float[] values) {
        MemorySegment target = MemorySegment.ofArray(new byte[values.length * dtype.bytes()]);
        Kernels.narrow(MemorySegment.ofArray(values), dtype, target, values.length);
        return target;
    }

    static Stream<Dtype> floating() {
        return Arrays.stream(Dtype.values()).filter(Dtype::floating);
    }

    @ParameterizedTest
    @MethodSource("floating")
    void findsWhatASortFindsAndCountsTies(Dtype dtype) {
        Tensors tensors = tensors(dtype);
        float[] sorted = tensors.sortedMagnitudes();
        MagnitudeHistogram histogram = new MagnitudeHistogram();
        tensors.addTo(histogram);

        assertThat(histogram.elements()).isEqualTo(sorted.length);
        for (int rank :
                new int[] {1, 2, 100, sorted.length / 5, sorted.length / 2, sorted.length}) {
            MagnitudeHistogram.Refinement refinement = histogram.refine(rank);
            tensors.addTo(refinement);

            float expected = sorted[sorted.length - rank];
            int atLeast = countAtLeast(sorted, expected);
            assertThat(refinement.threshold()).as("rank %d", rank).isEqualTo(expected);
            assertThat(refinement.countAtLeast()).as("rank %d", rank).isEqualTo(atLeast);
        }
    }

    @Test
    void aSecondPassOverOtherTensorsIsNoticed() {
        Tensors tensors = tensors(Dtype.F32);
        MagnitudeHistogram histogram = new MagnitudeHistogram();
        tensors.addTo(histogram);
        MagnitudeHistogram.Refinement refinement = histogram.refine(10);
        refinement.add(Dtype.F32, tensors.experts().get(2), Dtype.F32, tensors.bases().get(2), 100);

        assertThatThrownBy(refinement::threshold)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("both have to see the same tensors");
    }

    @Test
    void aRankBeyondTheElementsIsRefused() {
        assertThatThrownBy(() -> new MagnitudeHistogram().refine(1))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static int countAtLeast(float[] sorted, float threshold) {
        int index = sorted.length;
        while (index > 0 && sorted[index - 1] >= threshold) {
            index--;
        }
        return sorted.length - index;
    }
}
