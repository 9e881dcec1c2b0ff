package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MagnitudeBracketTest {
    private static final int COUNT = 10_000;
    private static final int LOW = Float.floatToRawIntBits(0.5f);
    private static final int HIGH = LOW + (1 << 20);

    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void everyRankInTheBracketIsWhereASortPutsIt() {
        MemorySegment expert = numbers(1);
        MemorySegment base = numbers(2);
        int[] sorted = sorted(expert, base);
        MagnitudeBracket bracket = halves(expert, base, LOW, HIGH, COUNT);

        for (int rank = 1; rank <= COUNT; rank++) {
            int bits = sorted[COUNT - rank];
            if (bits >= LOW && bits <= HIGH) {
                MagnitudeBracket.Found found = bracket.find(rank).orElseThrow();
                assertThat(found.exact()).isTrue();
                assertThat(found.low()).isEqualTo(bits);
                assertThat(found.countAtLeast())
                        .isEqualTo(Arrays.stream(sorted).filter(b -> b >= bits).count());
            } else {
                assertThat(bracket.find(rank)).isEmpty();
            }
        }
    }

    @Test
    void aBracketWithMoreThanMayBeKeptFindsANarrowOne() {
        MemorySegment expert = numbers(1);
        MemorySegment base = numbers(2);
        int[] sorted = sorted(expert, base);
        int oneHalf = COUNT / 2;
        for (int most : new int[] {0, 100, oneHalf}) {
            MagnitudeBracket wide = halves(expert, base, 0, Integer.MAX_VALUE, most);
            for (int rank : new int[] {1, 2, 77, COUNT / 2, COUNT}) {
                MagnitudeBracket.Found near = wide.find(rank).orElseThrow();
                assertThat(near.exact()).isFalse();
                MagnitudeBracket.Found found =
                        halves(expert, base, near.low(), near.high(), COUNT)
                                .find(rank)
                                .orElseThrow();

                assertThat(found.exact()).isTrue();
                assertThat(found.low()).isEqualTo(sorted[COUNT - rank]);
            }
            assertThat(wide.find(0)).isEmpty();
            assertThat(wide.find(COUNT + 1)).isEmpty();
        }
    }

    private static MagnitudeBracket halves(
            MemorySegment expert, MemorySegment base, int low, int high, int mostKept) {
        MagnitudeBracket bracket = new MagnitudeBracket(low, high, mostKept);
        MagnitudeBracket other = new MagnitudeBracket(low, high, mostKept);
        bracket.add(Dtype.F32, expert, Dtype.F32, base, COUNT / 2);
        other.add(
                Dtype.F32,
                expert.asSlice(2L * COUNT),
                Dtype.F32,
                base.asSlice(2L * COUNT),
                COUNT / 2);
        bracket.add(other);
        return bracket;
    }

    @Test
    void entriesOfOneMagnitudeAreCounted() {
        MemorySegment expert = numbers(1);
        MemorySegment zeros = arena.allocate(4L * COUNT);
        expert.setAtIndex(ValueLayout.JAVA_FLOAT, 7, 0.75f);
        expert.setAtIndex(ValueLayout.JAVA_FLOAT, COUNT - 1, -0.75f);

        assertThat(
                        MagnitudeBracket.count(
                                Dtype.F32,
                                expert,
                                Dtype.F32,
                                zeros,
                                COUNT,
                                Float.floatToRawIntBits(0.75f)))
                .isEqualTo(2);
    }

    private MemorySegment numbers(int seed) {
        SplittableRandom random = new SplittableRandom(seed);
        MemorySegment numbers = arena.allocate(4L * COUNT, 4);
        for (int i = 0; i < COUNT; i++) {
            numbers.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
        }
        return numbers;
    }

    private static int[] sorted(MemorySegment expert, MemorySegment base) {
        int[] all = new int[COUNT];
        for (int i = 0; i < COUNT; i++) {
            float difference =
                    expert.getAtIndex(ValueLayout.JAVA_FLOAT, i)
                            - base.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            all[i] = Float.floatToRawIntBits(difference) & 0x7fffffff;
        }
        Arrays.sort(all);
        return all;
    }
}
