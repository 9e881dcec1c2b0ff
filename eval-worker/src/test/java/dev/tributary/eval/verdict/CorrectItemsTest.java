package dev.tributary.eval.verdict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class CorrectItemsTest {

    @Test
    void itemIIsBitIModEightOfByteIDivEight() {
        CorrectItems correct =
                CorrectItems.of(
                        new int[] {1, 0, 1, 1, 0, 0, 0, 0, 0, 1},
                        new int[] {1, 1, 1, 0, 1, 1, 1, 1, 1, 1});

        assertThat(correct.toBytes()).isEqualTo(ByteBuffer.wrap(new byte[] {0b101, 0b10}));
        assertThat(correct.count()).isEqualTo(3);
    }

    @Test
    void bytesReadBackAreTheSame() {
        for (int items = 0; items < 40; items++) {
            int[] answers = new int[items];
            int[] expected = new int[items];
            for (int i = 0; i < items; i++) {
                answers[i] = i % 3 == 0 ? 1 : 0;
            }
            CorrectItems correct = CorrectItems.of(answers, expected);

            assertThat(CorrectItems.of(items, correct.toBytes())).isEqualTo(correct);
        }
    }

    @Test
    void countsWhatWasLostAndGained() {
        CorrectItems before = CorrectItems.of(5, ByteBuffer.wrap(new byte[] {0b00111}));
        CorrectItems now = CorrectItems.of(5, ByteBuffer.wrap(new byte[] {0b11001}));

        assertThat(now.since(before)).isEqualTo(new PairedOutcome(5, 2, 2));
    }

    @Test
    void refusesBytesOfAnotherItemCount() {
        assertThatThrownBy(() -> CorrectItems.of(9, ByteBuffer.wrap(new byte[1])))
                .hasMessageContaining("1 bytes")
                .hasMessageContaining("9 items");
        assertThatThrownBy(() -> CorrectItems.of(2, ByteBuffer.wrap(new byte[] {0b100})))
                .hasMessageContaining("highest bit 2");
        assertThatThrownBy(() ->
                        CorrectItems.of(2, ByteBuffer.allocate(1))
                                .since(CorrectItems.of(3, ByteBuffer.allocate(1))))
                .hasMessageContaining("2 items cannot be paired with 3");
    }
}
