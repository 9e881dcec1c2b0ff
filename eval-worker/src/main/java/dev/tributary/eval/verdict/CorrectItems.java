package dev.tributary.eval.verdict;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.BitSet;
import java.util.function.IntPredicate;

/// Which items of a validation set a model answered correctly. Immutable.
///
/// As bytes, item i is bit i mod 8, counted from the lowest, of byte i div 8; unused bits are 0.
public final class CorrectItems {

    private final int items;
    private final BitSet correct;

    private CorrectItems(int items, BitSet correct) {
        this.items = items;
        this.correct = correct;
    }

    /// Compares answers with what was expected, item by item.
    public static CorrectItems of(int[] predicted, int[] expected) {
        if (predicted.length != expected.length) {
            throw new IllegalArgumentException(
                    "[correct items] %d answers to %d items"
                            .formatted(predicted.length, expected.length));
        }
        BitSet correct = new BitSet(predicted.length);
        for (int i = 0; i < predicted.length; i++) {
            correct.set(i, predicted[i] == expected[i]);
        }
        return new CorrectItems(predicted.length, correct);
    }

    /// Asks of every item whether it was answered correctly.
    public static CorrectItems of(int items, IntPredicate right) {
        BitSet correct = new BitSet(items);
        for (int item = 0; item < items; item++) {
            correct.set(item, right.test(item));
        }
        return new CorrectItems(items, correct);
    }

    /// Reads the bytes between position and limit, without moving them.
    public static CorrectItems of(int items, ByteBuffer bytes) {
        BitSet correct = BitSet.valueOf(bytes.duplicate());
        if (items < 0 || bytes.remaining() != (items + 7) / 8 || correct.length() > items) {
            throw new IllegalArgumentException(
                    "[correct items] %d bytes with highest bit %d for %d items: truncated, or another item count?"
                            .formatted(bytes.remaining(), correct.length() - 1, items));
        }
        return new CorrectItems(items, correct);
    }

    /// Reads what [#asText] gives.
    public static CorrectItems of(String text) {
        String[] parts = text.split(":", 2);
        if (parts.length != 2) {
            throw new IllegalArgumentException(
                    "[correct items] '%s', expected a number of items, a colon and Base64"
                            .formatted(text));
        }
        return of(
                Integer.parseInt(parts[0]), ByteBuffer.wrap(Base64.getDecoder().decode(parts[1])));
    }

    /// The number of items, a colon and the bytes in Base64.
    public String asText() {
        return items + ":" + Base64.getEncoder().encodeToString(toBytes().array());
    }

    public int items() {
        return items;
    }

    public int count() {
        return correct.cardinality();
    }

    /// What changed since `before`, which answered the same items.
    public PairedOutcome since(CorrectItems before) {
        if (items != before.items) {
            throw new IllegalArgumentException(
                    "[correct items] %d items cannot be paired with %d"
                            .formatted(items, before.items));
        }
        BitSet gained = (BitSet) correct.clone();
        gained.andNot(before.correct);
        BitSet lost = (BitSet) before.correct.clone();
        lost.andNot(correct);
        return new PairedOutcome(items, lost.cardinality(), gained.cardinality());
    }

    public ByteBuffer toBytes() {
        byte[] bytes = new byte[(items + 7) / 8];
        byte[] used = correct.toByteArray();
        System.arraycopy(used, 0, bytes, 0, used.length);
        return ByteBuffer.wrap(bytes);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CorrectItems that
                && items == that.items
                && correct.equals(that.correct);
    }

    @Override
    public int hashCode() {
        return 31 * items + correct.hashCode();
    }

    @Override
    public String toString() {
        return "%d of %d correct".formatted(count(), items);
    }
}
