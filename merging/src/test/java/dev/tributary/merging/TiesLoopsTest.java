package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The scalar tail is the meaning; the vector loop may only be faster. Element by element the tail
/// is all there is, so a tile done in ones says what the whole tile has to be.
class TiesLoopsTest {
    private static final float[] WEIGHTS = {1f, -0.5f, 0.8f};

    private final Random random = new Random(5);

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 8, 15, 16, 17, 31, 64, 1000})
    void vectorAndScalarAgreeBitForBit(int size) {
        float[] base = values(size);
        float[][] experts = {values(size), values(size), values(size)};
        if (size > 20) {
            experts[1][3] = Float.NaN;
            experts[2][5] = Float.POSITIVE_INFINITY;
            experts[0][7] = base[7];
        }
        for (boolean normalize : new boolean[] {true, false}) {
            float[] whole = merge(base, experts, normalize, size);
            for (int i = 0; i < size; i++) {
                float[] one =
                        merge(
                                new float[] {base[i]},
                                new float[][] {{experts[0][i]}, {experts[1][i]}, {experts[2][i]}},
                                normalize,
                                1);
                assertThat(Float.floatToIntBits(whole[i]))
                        .as("element %d", i)
                        .isEqualTo(Float.floatToIntBits(one[0]));
            }
        }
    }

    private static float[] merge(float[] base, float[][] experts, boolean normalize, int count) {
        float[][] kept = new float[3][count];
        float[] mass = new float[count];
        float[] merged = new float[count];
        for (int m = 0; m < 3; m++) {
            TiesLoops.trim(
                    experts[m],
                    base,
                    Float.floatToRawIntBits(0.4f),
                    WEIGHTS[m],
                    kept[m],
                    mass,
                    count);
        }
        TiesLoops.merge(kept, WEIGHTS, mass, base, 0.7f, normalize, merged, count);
        return merged;
    }

    private float[] values(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
