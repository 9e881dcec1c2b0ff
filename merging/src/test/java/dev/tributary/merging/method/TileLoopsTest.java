package dev.tributary.merging.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The scalar tail is the meaning; the vector loop may only be faster. Element by element the tail
/// is all there is, so a tile done in ones says what the whole tile has to be.
class TileLoopsTest {
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

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 15, 16, 17, 31, 64, 1000})
    void thinningIsTheSameInOnesAndInTiles(int size) {
        float[] entries = values(size);
        long key = Draws.key(17, "spam", "a.weight");
        long index = (1L << 32) - 500;
        MemorySegment whole = tile(entries);
        int first = Math.min(size, 500);
        TileLoops.thin(whole, key, index, Draws.threshold(0.3), 2f, first);
        TileLoops.thin(
                whole.asSlice((long) first * Float.BYTES),
                key,
                index + first,
                Draws.threshold(0.3),
                2f,
                size - first);
        for (int i = 0; i < size; i++) {
            MemorySegment one = tile(new float[] {entries[i]});
            TileLoops.thin(one, key, index + i, Draws.threshold(0.3), 2f, 1);
            assertThat(TileLoops.get(whole, i)).isEqualTo(TileLoops.get(one, 0));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 15, 16, 17, 31, 64, 1000})
    void chancesOfTheirOwnAreTheSameInOnesAndInTiles(int size) {
        float[] entries = values(size);
        float[] chances = new float[size];
        for (int i = 0; i < size; i++) {
            chances[i] = 0.05f + 0.9f * random.nextFloat();
        }
        long key = Draws.key(17, "spam", "a.weight");
        for (boolean rescale : new boolean[] {true, false}) {
            MemorySegment whole = tile(entries);
            TileLoops.thinEach(whole, tile(chances), key, 77, rescale, size);
            for (int i = 0; i < size; i++) {
                MemorySegment one = tile(new float[] {entries[i]});
                MemorySegment chance = tile(new float[] {chances[i]});
                TileLoops.thinEach(one, chance, key, 77 + i, rescale, 1);
                assertThat(TileLoops.get(whole, i)).isEqualTo(TileLoops.get(one, 0));
            }
        }
    }

    @Test
    void everyEntryStaysAsOftenAsItsChanceSaysAndKeepsItsMean() {
        int size = 2000;
        float[] ones = new float[size];
        float[] chances = new float[size];
        for (int i = 0; i < size; i++) {
            ones[i] = 1;
            chances[i] = i % 2 == 0 ? 0.2f : 0.8f;
        }
        double[] kept = new double[2];
        double[] sum = new double[2];
        int trials = 300;
        for (int trial = 0; trial < trials; trial++) {
            MemorySegment tile = tile(ones);
            long key = Draws.key(trial, "spam", "a");
            TileLoops.thinEach(tile, tile(chances), key, 0, true, size);
            for (int i = 0; i < size; i++) {
                kept[i % 2] += TileLoops.get(tile, i) != 0 ? 1 : 0;
                sum[i % 2] += TileLoops.get(tile, i);
            }
        }
        double each = trials * size / 2.0;
        assertThat(kept[0] / each).isCloseTo(0.2, within(0.005));
        assertThat(kept[1] / each).isCloseTo(0.8, within(0.005));
        assertThat(sum[0] / each).isCloseTo(1, within(0.02));
        assertThat(sum[1] / each).isCloseTo(1, within(0.02));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 16, 17, 1000})
    void magnitudesAreTalliedAndLookedUpByTheirLeadingBits(int size) {
        float[] entries = values(size);
        MemorySegment tile = tile(entries);
        int shift = 18;
        int largest = TileLoops.largest(tile, size);
        int floor = (largest >>> shift) - 15;
        int[] bins = new int[16];
        TileLoops.tally(tile, shift, floor, bins, size);
        float[] numbers = new float[16];
        for (int bin = 0; bin < numbers.length; bin++) {
            numbers[bin] = bin;
        }
        MemorySegment found = tile(new float[size]);
        TileLoops.lookUp(tile, shift, floor, numbers, found, size);

        int[] expected = new int[16];
        int max = 0;
        for (int i = 0; i < size; i++) {
            int bits = Float.floatToRawIntBits(Math.abs(entries[i]));
            max = Math.max(max, bits);
            int bin = Math.max(0, (bits >>> shift) - floor);
            expected[bin]++;
            assertThat(TileLoops.get(found, i)).isEqualTo(bin);
        }
        assertThat(largest).isEqualTo(max);
        assertThat(bins).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 16, 17, 100})
    void cutsAreTheSameInOnesAndInTiles(int size) {
        float[] entries = values(size);
        int cut = Float.floatToRawIntBits(0.5f);
        MemorySegment kept = tile(entries);
        MemorySegment dropped = tile(entries);
        TileLoops.keepFrom(kept, cut, size);
        TileLoops.dropFrom(dropped, cut, size);
        for (int i = 0; i < size; i++) {
            boolean large = Math.abs(entries[i]) >= 0.5f;
            assertThat(TileLoops.get(kept, i)).isEqualTo(large ? entries[i] : 0f);
            assertThat(TileLoops.get(dropped, i)).isEqualTo(large ? 0f : entries[i]);
        }
    }

    @Test
    void aShareOfTheDrawsIsBelowItsThreshold() {
        int below = 0;
        int draws = 1_000_000;
        int both = 0;
        long key = Draws.key(1, "spam", "a");
        long other = Draws.key(1, "hedges", "a");
        for (int i = 0; i < draws; i++) {
            boolean one = Draws.draw(key, i) < Draws.threshold(0.3);
            below += one ? 1 : 0;
            both += one && Draws.draw(other, i) < Draws.threshold(0.3) ? 1 : 0;
        }
        assertThat(below / (double) draws).isCloseTo(0.3, within(0.002));
        assertThat(both / (double) draws).isCloseTo(0.09, within(0.002));
    }

    private static float[] merge(float[] base, float[][] experts, boolean normalize, int count) {
        MemorySegment[] kept = new MemorySegment[3];
        MemorySegment mass = tile(new float[count]);
        for (int m = 0; m < 3; m++) {
            float[] difference = new float[count];
            for (int i = 0; i < count; i++) {
                difference[i] = experts[m][i] - base[i];
            }
            kept[m] = tile(difference);
            TileLoops.keepFrom(kept[m], Float.floatToRawIntBits(0.4f), count);
            TileLoops.weigh(kept[m], WEIGHTS[m], mass, count);
        }
        MemorySegment merged = tile(new float[count]);
        TileLoops.elect(kept, WEIGHTS, mass, tile(base), 0.7f, normalize, merged, count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = TileLoops.get(merged, i);
        }
        return values;
    }

    private static MemorySegment tile(float[] values) {
        MemorySegment tile = Arena.ofAuto().allocate(Math.max(1, values.length) * 4L, 64);
        for (int i = 0; i < values.length; i++) {
            TileLoops.set(tile, i, values[i]);
        }
        return tile;
    }

    private float[] values(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}
