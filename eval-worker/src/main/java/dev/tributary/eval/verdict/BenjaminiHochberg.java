package dev.tributary.eval.verdict;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// Adjusts p-values for having looked at many: of all findings with an adjusted value up to q, at
/// most the fraction q is expected to be chance.
///
/// Benjamini and Hochberg, Journal of the Royal Statistical Society B 57:289 (1995), the step-up
/// procedure. When nothing has changed anywhere, the probability of any finding at all is at most q
/// as well.
final class BenjaminiHochberg {

    private BenjaminiHochberg() {}

    /// The adjusted p-values, in the order given.
    static List<Double> adjust(List<Double> pValues) {
        int count = pValues.size();
        List<Integer> largestFirst =
                IntStream.range(0, count)
                        .boxed()
                        .sorted(Comparator.comparing(pValues::get, Comparator.reverseOrder()))
                        .toList();
        List<Double> adjusted = new ArrayList<>(Collections.nCopies(count, 1.0));
        double smallest = 1;
        for (int i = 0; i < count; i++) {
            int rank = count - i;
            int index = largestFirst.get(i);
            smallest = Math.min(smallest, pValues.get(index) * count / rank);
            adjusted.set(index, smallest);
        }
        return List.copyOf(adjusted);
    }
}
