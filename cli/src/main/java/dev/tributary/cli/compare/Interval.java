package dev.tributary.cli.compare;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A mean of merges' ANP, or a difference of two such means, with the half width of its 95 %
/// confidence interval over draws of test items. What merges share, such as the items of a task, is
/// taken into account: an item counts with everything it moves.
///
/// @param mean NaN of no merges
/// @param halfWidth NaN where no task has two items
record Interval(double mean, double halfWidth) {
    /// 97.5 % quantile of the normal distribution.
    private static final double QUANTILE = 1.960;

    /// Of the mean of some merges.
    static Interval of(List<Cell> merges) {
        Sum sum = new Sum();
        sum.add(merges, 1);
        return sum.interval();
    }

    /// Of what the mean of some merges is above that of others.
    static Interval ofDifference(List<Cell> merges, List<Cell> others) {
        Sum sum = new Sum();
        sum.add(merges, 1);
        sum.add(others, -1);
        return sum.interval();
    }

    /// Whether it holds zero: there may be no difference.
    boolean holdsZero() {
        return Math.abs(mean) <= halfWidth;
    }

    /// A mean, and by task how much each item moves it.
    private static final class Sum {
        private final Map<String, double[]> influences = new HashMap<>();
        private double mean;

        void add(List<Cell> merges, double sign) {
            if (merges.isEmpty()) {
                mean = Double.NaN;
            }
            for (Cell merge : merges) {
                mean += sign * merge.anp() / merges.size();
                double weight = sign / merges.size() / merge.retention().size();
                merge.retention()
                        .forEach((task, retention) -> {
                            List<Float> items = retention.influences();
                            double[] moved =
                                    influences.computeIfAbsent(task, _ -> new double[items.size()]);
                            for (int i = 0; i < moved.length; i++) {
                                moved[i] += weight * items.get(i);
                            }
                        });
            }
        }

        Interval interval() {
            double variance = 0;
            int items = 0;
            for (double[] moved : influences.values()) {
                if (moved.length > 1) {
                    double squares = 0;
                    for (double influence : moved) {
                        squares += influence * influence;
                    }
                    variance += squares / moved.length / (moved.length - 1);
                    items += moved.length;
                }
            }
            return new Interval(mean, items == 0 ? Double.NaN : QUANTILE * Math.sqrt(variance));
        }
    }
}
