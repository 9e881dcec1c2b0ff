package dev.tributary.merging;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Says which calibration items of a task a step looks at: every item once an epoch, in an order
/// drawn from a counter, not from a running generator.
///
/// The answer depends on the seed, the task's name, its number of items and the step, so it does
/// not change with the order of the members or with the number of threads.
final class CalibrationSampler {
    private final long seed;
    private final int samplesPerStep;
    private final Map<String, Order> orders = new HashMap<>();

    private record Order(long epoch, List<Integer> items) {}

    CalibrationSampler(long seed, int samplesPerStep) {
        this.seed = seed;
        this.samplesPerStep = samplesPerStep;
    }

    /// The items of one task for one step; all of them, in their own order, when a step has room
    /// for all.
    int[] items(String task, int size, long step) {
        if (samplesPerStep >= size) {
            int[] all = new int[size];
            Arrays.setAll(all, i -> i);
            return all;
        }
        int[] chosen = new int[samplesPerStep];
        for (int i = 0; i < samplesPerStep; i++) {
            long position = step * samplesPerStep + i;
            chosen[i] = order(task, size, position / size).get((int) (position % size));
        }
        return chosen;
    }

    private List<Integer> order(String task, int size, long epoch) {
        Order known = orders.get(task);
        if (known == null || known.epoch() != epoch) {
            known = new Order(epoch, shuffled(task, size, epoch));
            orders.put(task, known);
        }
        return known.items();
    }

    /// Fisher-Yates with numbers that are functions of (seed, task, epoch, position).
    private List<Integer> shuffled(String task, int size, long epoch) {
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
