package dev.tributary.eval.verdict;

import java.util.ArrayList;
import java.util.List;

/// Which paired outcomes count as a fall: each task for itself, adjusted for how many there are,
/// and all together.
///
/// @param adjustedPValues of the tasks, in their order
/// @param tasks whether each task fell
/// @param together whether all items taken together fell
record Falls(List<Double> adjustedPValues, List<Boolean> tasks, boolean together) {

    static Falls of(List<PairedOutcome> outcomes, RegressionPolicy policy) {
        double half = policy.significanceLevel() / 2;
        List<Double> adjusted =
                BenjaminiHochberg.adjust(outcomes.stream().map(PairedOutcome::pValue).toList());
        List<Boolean> tasks = new ArrayList<>();
        for (int i = 0; i < outcomes.size(); i++) {
            boolean beyondTolerance = outcomes.get(i).drop() > policy.toleratedDrop();
            tasks.add(beyondTolerance && adjusted.get(i) <= half);
        }
        PairedOutcome all = outcomes.stream().reduce(PairedOutcome.NONE, PairedOutcome::plus);
        boolean together = all.drop() > policy.toleratedDrop() && all.pValue() <= half;
        return new Falls(adjusted, tasks, together);
    }

    boolean any() {
        return together || tasks.contains(true);
    }
}
