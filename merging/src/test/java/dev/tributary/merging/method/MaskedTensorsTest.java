package dev.tributary.merging.method;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// An expert's values read with some entries replaced by the base's.
class MaskedTensorsTest {
    private static final int COUNT = 3000;

    private final Random random = new Random(3);
    private final EntryMask mask = new EntryMask(COUNT);

    @ParameterizedTest
    @CsvSource({"F32, F32", "BF16, BF16", "F16, F16", "F64, F64", "F32, BF16", "BF16, F32"})
    void markedEntriesAreTheBasesAndTheOthersTheExperts(Dtype base, Dtype expert) {
        MergeTensor tensor = tensor(base, expert);
        for (int i = 5; i < COUNT; i += 97) {
            mask.set(i);
        }
        MergeTensor.Stored masked = new MaskedTensors().of(tensor, mask).experts().get(0).stored();
        for (int[] stretch : new int[][] {{0, COUNT}, {17, 1000}, {102, 1}, {2999, 1}, {6, 90}}) {
            float[] read = floats(masked, stretch[0], stretch[1]);
            float[] ofBase = floats(tensor.base(), stretch[0], stretch[1]);
            float[] own = floats(tensor.experts().get(0).stored(), stretch[0], stretch[1]);
            for (int i = 0; i < stretch[1]; i++) {
                boolean marked = (stretch[0] + i - 5) % 97 == 0;
                assertThat(read[i]).isEqualTo(marked ? ofBase[i] : own[i]);
            }
        }
    }

    @Test
    void twoExpertsMayBeReadAtTheSameTime() {
        mask.set(0);
        MergeTensor masked = new MaskedTensors().of(tensor(Dtype.F32, Dtype.F32), mask);
        MemorySegment first = masked.experts().get(0).stored().slice(0, 100);
        float value = TileLoops.get(first, 50);
        MemorySegment second = masked.experts().get(1).stored().slice(0, 100);
        assertThat(TileLoops.get(first, 50)).isEqualTo(value);
        assertThat(TileLoops.get(second, 50)).isNotEqualTo(value);
        assertThat(TileLoops.get(second, 0)).isEqualTo(TileLoops.get(first, 0));
    }

    @Test
    void aTensorWithoutMarkedEntriesIsTheTensorItself() {
        MergeTensor tensor = tensor(Dtype.F32, Dtype.BF16);
        assertThat(new MaskedTensors().of(tensor, mask)).isSameAs(tensor);
    }

    private MergeTensor tensor(Dtype base, Dtype expert) {
        return new MergeTensor(
                "w",
                List.of((long) COUNT),
                0,
                0,
                stored(base),
                List.of(
                        new MergeTensor.Expert("a", stored(expert), Map.of()),
                        new MergeTensor.Expert("b", stored(expert), Map.of())));
    }

    private MergeTensor.Stored stored(Dtype dtype) {
        MemorySegment floats = Arena.ofAuto().allocate((long) COUNT * Float.BYTES, Long.BYTES);
        for (int i = 0; i < COUNT; i++) {
            TileLoops.set(floats, i, (float) random.nextGaussian());
        }
        MemorySegment data = Arena.ofAuto().allocate((long) COUNT * dtype.bytes(), Long.BYTES);
        Kernels.narrow(floats, dtype, data, COUNT);
        return new MergeTensor.Mapped(dtype, data);
    }

    private static float[] floats(MergeTensor.Stored stored, int from, int count) {
        MemorySegment floats = Arena.ofAuto().allocate((long) count * Float.BYTES, Long.BYTES);
        Kernels.widen(stored.dtype(), stored.slice(from, count), 0, floats, count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = TileLoops.get(floats, i);
        }
        return values;
    }
}
