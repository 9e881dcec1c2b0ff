package dev.tributary.cli.compare;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// Which tasks are merged together at each pool size.
final class Subsets {
    private Subsets() {}

    /// Subsets of so many of the tasks: all there are, or a seeded sample of them.
    ///
    /// @param atMost how many subsets, at most
    static List<List<String>> of(List<String> tasks, int size, int atMost, long seed) {
        List<List<String>> all = new ArrayList<>();
        collect(tasks, size, 0, new ArrayList<>(), all);
        if (all.size() <= atMost) {
            return all;
        }
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed + size);
        for (int i = 0; i < atMost; i++) {
            Collections.swap(all, i, random.nextInt(i, all.size()));
        }
        return List.copyOf(all.subList(0, atMost));
    }

    private static void collect(
            List<String> tasks, int size, int from, List<String> chosen, List<List<String>> all) {
        if (chosen.size() == size) {
            all.add(List.copyOf(chosen));
            return;
        }
        for (int i = from; i < tasks.size(); i++) {
            chosen.add(tasks.get(i));
            collect(tasks, size, i + 1, chosen, all);
            chosen.removeLast();
        }
    }
}
