package dev.tributary.eval.verdict;

import java.util.ArrayList;
import java.util.List;

/// How small a fall a paired comparison could have shown.
///
/// The model: independent items, each lost with probability L, gained with probability G and
/// otherwise unchanged, so the drop is L - G. G is an assumption handed in (the rate of gains, as
/// estimated from the comparison itself). The power is exact: summed over the number of gained
/// items, and given that number over the number of lost ones. Counted as found is what the policy
/// counts as a fall: significant, and larger than what is tolerated.
///
/// @param significance the mid-p at or below which a comparison counts as a fall
/// @param toleratedDrop a fall of the right answers up to this, as a fraction of the items, does
///   not count however significant it is
/// @param power how often the drop is to be found
record DetectableDrop(double significance, double toleratedDrop, double power) {

    private static final double PRECISION = 1e-3;

    /// Numbers of gained items less probable than this are left out of the sum: the power is exact
    /// to seven digits.
    private static final double IMPROBABLE = 1e-8;

    DetectableDrop {
        if (!(significance > 0 && significance < 1)
                || !(toleratedDrop >= 0 && toleratedDrop < 1)
                || !(power > 0 && power < 1)) {
            throw new IllegalArgumentException(
                    "[detectable drop] significance %s, tolerated drop %s, power %s: expected fractions of 1"
                            .formatted(significance, toleratedDrop, power));
        }
    }

    /// So many items gained, with this probability, and the losses that would then be a fall.
    private record Gains(int gained, double probability, int neededLosses) {}

    /// The smallest drop found with this power, to three digits; 1 when these items could not show
    /// any drop that often.
    double of(int items, double gainsRate) {
        List<Gains> gains = gains(items, gainsRate);
        double possible = 1 - PRECISION - gainsRate;
        if (possible <= gainsRate || power(items, gains, possible, gainsRate) < power) {
            return 1;
        }
        double low = gainsRate;
        double high = possible;
        while (high - low > PRECISION / 4) {
            double middle = (low + high) / 2;
            if (power(items, gains, middle, gainsRate) >= power) {
                high = middle;
            } else {
                low = middle;
            }
        }
        return Math.round((high - gainsRate) / PRECISION) * PRECISION;
    }

    /// How often a comparison of so many items shows a fall when answers are lost and gained at
    /// these rates.
    double power(int items, double lossRate, double gainsRate) {
        return power(items, gains(items, gainsRate), lossRate, gainsRate);
    }

    private static double power(int items, List<Gains> gains, double lossRate, double gainsRate) {
        double lossAmongTheRest = lossRate / (1 - gainsRate);
        double found = 0;
        for (Gains some : gains) {
            Binomial lost = new Binomial(items - some.gained, lossAmongTheRest);
            found += some.probability * lost.atLeast(some.neededLosses);
        }
        return found;
    }

    private List<Gains> gains(int items, double gainsRate) {
        Binomial distribution = new Binomial(items, gainsRate);
        List<Gains> gains = new ArrayList<>();
        int needed = 0;
        for (int gained = 0; gained <= items; gained++) {
            double probability = distribution.at(gained);
            if (probability >= IMPROBABLE) {
                needed = neededLosses(items, gained, needed);
                gains.add(new Gains(gained, probability, needed));
            } else if (gained > distribution.mode()) {
                break;
            }
        }
        return gains;
    }

    /// The fewest losses that are a fall beside so many gains, looked for from `from` upwards: more
    /// gains never need fewer losses. One more than there can be when none are enough.
    private int neededLosses(int items, int gained, int from) {
        int lost = Math.max(from, gained);
        while (lost + gained <= items) {
            PairedOutcome outcome = new PairedOutcome(items, lost, gained);
            if (outcome.drop() > toleratedDrop && outcome.pValue() <= significance) {
                break;
            }
            lost++;
        }
        return lost;
    }
}
