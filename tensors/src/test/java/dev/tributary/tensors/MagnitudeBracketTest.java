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
    private static final int HIGH = LOW + (1 << 17);

    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void everyRankInTheBracketIsWhereASortPutsIt() {
        MemorySegment expert = numbers(1);
        MemorySegment base = numbers(2);
        int[] sorted = all(expert, base);
        Arrays.sort(sorted);
        MagnitudeBracket bracket = new MagnitudeBracket(LOW, HIGH);
        MagnitudeBracket other = new MagnitudeBracket(LOW, HIGH);
        bracket.add(Dtype.F32, expert, Dtype.F32, base, COUNT / 2);
        other.add(
                Dtype.F32,
                expert.asSlice(2L * COUNT),
                Dtype.F32,
                base.asSlice(2L * COUNT),
                COUNT / 2);
        bracket.add(other);

        for (int rank = 1; rank <= COUNT; rank++) {
            int bits = sorted[COUNT - rank];
            if (bits >= LOW && bits <= HIGH) {
                assertThat(bracket.find(rank).orElseThrow().low()).isEqualTo(bits);
                assertThat(bracket.find(rank).orElseThrow().countAtLeast())
                        .isEqualTo(Arrays.stream(sorted).filter(b -> b >= bits).count());
            } else {
                assertThat(bracket.find(rank)).isEmpty();
            }
        }
    }

    @Test
    void aWideBracketFindsANarrowOne() {
        MemorySegment expert = numbers(1);
        MemorySegment base = numbers(2);
        int[] sorted = all(expert, base);
        Arrays.sort(sorted);
        MagnitudeBracket wide = new MagnitudeBracket(0, Integer.MAX_VALUE);
        wide.add(Dtype.F32, expert, Dtype.F32, base, COUNT);

        for (int rank : new int[] {1, 2, 77, COUNT / 2, COUNT}) {
            MagnitudeBracket.Found near = wide.find(rank).orElseThrow();
            MagnitudeBracket narrow = new MagnitudeBracket(near.low(), near.high());
            narrow.add(Dtype.F32, expert, Dtype.F32, base, COUNT);
            MagnitudeBracket.Found found = narrow.find(rank).orElseThrow();

            assertThat(found.exact()).isTrue();
            assertThat(found.low()).isEqualTo(sorted[COUNT - rank]);
        }
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

    private static int[] all(MemorySegment expert, MemorySegment base) {
        int[] all = new int[COUNT];
        MagnitudeBracket.all(
                Dtype.F32, expert, Dtype.F32, base, COUNT, all, 0, new int[MagnitudeBracket.ROOM]);
        return all;
    }
}
