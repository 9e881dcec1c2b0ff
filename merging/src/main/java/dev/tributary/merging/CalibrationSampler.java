package dev.tributary.merging;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/// Says which calibration items of a task a step looks at: every item once an epoch, in an order
/// drawn from a counter, not from a running generator.
///
/// The items of a few steps are drawn together and dealt out by length, so that the batch of a step
/// is hardly padded; which of the steps gets the long ones is drawn too. The answer depends on the
/// seed, the task's name, its items' lengths and the step, so it does not change with the order of
/// the members or with the number of threads.
final class CalibrationSampler {
    /// Steps whose items are drawn together.
    private static final int WINDOW = 4;

    private final long seed;
    private final int samplesPerStep;
    private final Map<String, Order> orders = new HashMap<>();

    private record Order(long epoch, List<Integer> items) {}

    CalibrationSampler(long seed, int samplesPerStep) {
        this.seed = seed;
        this.samplesPerStep = samplesPerStep;
    }

    /// So many different items of a set, in their own order: a sample that does not depend on how
    /// the set is sorted. All of them when there are no more.
    static List<Integer> sample(long seed, String task, int size, int wanted) {
        List<Integer> items = shuffled(seed, task, size, 0);
        return items.stream().limit(wanted).sorted().toList();
    }

    /// The items of one task for one step; all of them, in their own order, when a step has room
    /// for all.
    ///
    /// @param length tokens of an item
    int[] items(String task, int size, IntUnaryOperator length, long step) {
        if (samplesPerStep >= size) {
            return IntStream.range(0, size).toArray();
        }
        long window = step / WINDOW;
        List<Integer> drawn = new ArrayList<>();
        long together = (long) WINDOW * samplesPerStep;
        long end = (window + 1) * together;
        for (long position = end - together; position < end; position++) {
            drawn.add(order(task, size, position / size).get((int) (position % size)));
        }
        drawn.sort(Comparator.comparingInt(length::applyAsInt).thenComparingInt(Integer::intValue));
        int share = shuffled(~seed, task, WINDOW, window).get((int) (step % WINDOW));
        return drawn.subList(share * samplesPerStep, (share + 1) * samplesPerStep).stream()
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private List<Integer> order(String task, int size, long epoch) {
        Order known = orders.get(task);
        if (known == null || known.epoch() != epoch) {
            known = new Order(epoch, shuffled(seed, task, size, epoch));
            orders.put(task, known);
        }
        return known.items();
    }

    /// Fisher-Yates with numbers that are functions of (seed, task, epoch, position).
    private static List<Integer> shuffled(long seed, String task, int size, long epoch) {
        long stream = mix(seed ^ mix(hash(task)) ^ mix(epoch + 1));
        List<Integer> items = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            items.add(i);
        }
        for (int i = size - 1; i > 0; i--) {
            Collections.swap(items, i, (int) Long.remainderUnsigned(mix(stream + i), i + 1L));
        }
        return items;
    }

    /// FNV-1a over the name's UTF-8 bytes.
    private static long hash(String text) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        return hash;
    }

    /// SplitMix64's finaliser: a bijection whose outputs look random for consecutive inputs.
    private static long mix(long value) {
        long z = value + 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
