package dev.tributary.eval.verdict;

import java.util.Map;
import java.util.TreeMap;

/// Task results for tests.
public final class Results {

    private Results() {}

    /// What the models answered.
    ///
    /// @param items how many items there are
    /// @param from the first item answered correctly
    /// @param to the first item after those
    public record Items(int items, String digest, int from, int to, double expertScore) {

        public Items named(String otherDigest) {
            return new Items(items, otherDigest, from, to, expertScore);
        }

        public Items correct(int first, int end) {
            return new Items(items, digest, first, end, expertScore);
        }

        public Items expertScore(double score) {
            return new Items(items, digest, from, to, score);
        }
    }

    public static Items items(int count) {
        return new Items(count, "sha256:items", 0, count, 0.95);
    }

    public static TaskResult.Scored scored(String task, Items items) {
        int[] answers = new int[items.items];
        for (int i = items.from; i < items.to; i++) {
            answers[i] = 1;
        }
        int[] expected = new int[items.items];
        java.util.Arrays.fill(expected, 1);
        CorrectItems correct = CorrectItems.of(answers, expected);
        return new TaskResult.Scored(
                task,
                "accuracy",
                (double) correct.count() / items.items,
                items.expertScore,
                0.01,
                items.digest,
                correct);
    }

    static Map<String, TaskResult> tasks(int count, Items items) {
        Map<String, TaskResult> tasks = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            tasks.put("task-" + i, scored("task-" + i, items));
        }
        return tasks;
    }
}
