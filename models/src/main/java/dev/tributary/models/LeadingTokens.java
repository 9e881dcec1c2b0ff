package dev.tributary.models;

import java.util.Arrays;

/// The most likely tokens of a distribution over a vocabulary, one by one, with all others as one
/// outcome.
///
/// Taking outcomes together can only make a divergence smaller. Of the Jensen-Shannon divergence at
/// most `log 2` times the mean of what both distributions give to the others is lost: by the chain
/// rule that is the weight of a divergence within them, which is `log 2` at most.
public final class LeadingTokens {
    private LeadingTokens() {}

    /// The tokens of the highest scores, their ids in order; of equal ones those of lower id.
    ///
    /// @param from where the scores of the vocabulary begin
    /// @param size of the vocabulary
    public static int[] of(float[] scores, int from, int size, int count) {
        int[] heap = new int[Math.min(count, size)];
        for (int i = 0; i < heap.length; i++) {
            heap[i] = i;
        }
        for (int i = heap.length / 2 - 1; i >= 0; i--) {
            sink(heap, i, scores, from);
        }
        for (int token = heap.length; token < size && heap.length > 0; token++) {
            if (scores[from + token] > scores[from + heap[0]]) {
                heap[0] = token;
                sink(heap, 0, scores, from);
            }
        }
        Arrays.sort(heap);
        return heap;
    }

    /// Restores the order of a heap whose root is the least likely token.
    private static void sink(int[] heap, int start, float[] scores, int from) {
        int place = start;
        while (2 * place + 1 < heap.length) {
            int child = 2 * place + 1;
            if (child + 1 < heap.length && less(heap[child + 1], heap[child], scores, from)) {
                child++;
            }
            if (!less(heap[child], heap[place], scores, from)) {
                return;
            }
            int token = heap[place];
            heap[place] = heap[child];
            heap[child] = token;
            place = child;
        }
    }

    private static boolean less(int token, int other, float[] scores, int from) {
        float one = scores[from + token];
        float two = scores[from + other];
        return one < two || (one == two && token > other);
    }

    /// The log-probabilities of some tokens and, last, of all others together.
    ///
    /// @param logProbabilities of the whole vocabulary
    /// @param size of the vocabulary
    /// @param ids of the tokens, in order, from `idsFrom` on
    /// @param target receives `count + 1` numbers
    public static void together(
            double[] logProbabilities,
            int size,
            int[] ids,
            int idsFrom,
            int count,
            double[] target) {
        double others = 0;
        int next = 0;
        for (int token = 0; token < size; token++) {
            if (next < count && ids[idsFrom + next] == token) {
                target[next++] = logProbabilities[token];
            } else {
                others += Math.exp(logProbabilities[token]);
            }
        }
        target[count] = Math.log(Math.max(others, Double.MIN_NORMAL));
    }
}
