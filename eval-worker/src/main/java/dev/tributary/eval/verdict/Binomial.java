package dev.tributary.eval.verdict;

/// The number of successes in independent trials of equal probability.
///
/// Everything is computed relative to the weight of the mode, by the recurrence between
/// neighbouring weights and one normalisation at the end. That needs no factorial and no gamma
/// function, so it neither overflows nor loses digits with many trials.
final class Binomial {

    /// Weights below this fraction of what is summed already change no digit of a double.
    private static final double NEGLIGIBLE = 1e-19;

    private final int trials;
    private final double odds;
    private final int mode;
    private final double total;

    /// @param trials how many trials
    /// @param probability the probability of success in each
    Binomial(int trials, double probability) {
        if (trials < 0) {
            throw new IllegalArgumentException(
                    "[binomial] %d trials, expected 0 or more".formatted(trials));
        }
        if (!(probability >= 0 && probability < 1)) {
            throw new IllegalArgumentException(
                    "[binomial] probability %s, expected 0 or more and less than 1"
                            .formatted(probability));
        }
        this.trials = trials;
        this.odds = probability / (1 - probability);
        this.mode = (int) Math.min(trials, Math.floor((trials + 1L) * probability));
        this.total = upwards(mode) + downwards(mode - 1);
    }

    /// The most probable number of successes.
    int mode() {
        return mode;
    }

    /// The probability of exactly this many successes.
    double at(int successes) {
        return successes < 0 || successes > trials ? 0 : weight(successes) / total;
    }

    /// The probability of this many successes or more.
    double atLeast(int successes) {
        if (successes <= 0) {
            return 1;
        }
        if (successes > trials) {
            return 0;
        }
        // Each tail is summed from its largest weight outwards, so a small tail keeps its digits.
        return successes > mode ? upwards(successes) / total : 1 - downwards(successes - 1) / total;
    }

    /// The weight of this many successes, the mode having 1.
    private double weight(int successes) {
        double weight = 1;
        for (int k = mode; k < successes && weight > 0; k++) {
            weight *= ratio(k);
        }
        for (int k = mode; k > successes && weight > 0; k--) {
            weight /= ratio(k - 1);
        }
        return weight;
    }

    /// The weights from `from`, which is not below the mode, to the end.
    private double upwards(int from) {
        double weight = weight(from);
        double sum = 0;
        for (int k = from; k <= trials && weight > NEGLIGIBLE * sum; k++) {
            sum += weight;
            weight *= ratio(k);
        }
        return sum;
    }

    /// The weights from `from`, which is below the mode, down to none.
    private double downwards(int from) {
        double weight = from < 0 ? 0 : weight(from);
        double sum = 0;
        for (int k = from; k >= 0 && weight > NEGLIGIBLE * sum; k--) {
            sum += weight;
            weight /= ratio(k - 1);
        }
        return sum;
    }

    /// The weight of `k + 1` successes over the weight of `k`.
    private double ratio(int k) {
        return (double) (trials - k) / (k + 1) * odds;
    }
}
