package dev.tributary.eval.verdict;

/// What became of the same items from one model to another: how many answers turned wrong and how
/// many turned right.
///
/// @param items how many items both models answered
/// @param lost right before, wrong now
/// @param gained wrong before, right now
public record PairedOutcome(int items, int lost, int gained) {

    public PairedOutcome {
        if (lost < 0 || gained < 0 || items < (long) lost + gained) {
            throw new IllegalArgumentException(
                    "[paired outcome] %d lost and %d gained of %d items: counts must not be negative or exceed the items"
                            .formatted(lost, gained, items));
        }
    }

    /// Nothing compared yet: the neutral element of [#plus].
    public static final PairedOutcome NONE = new PairedOutcome(0, 0, 0);

    public PairedOutcome plus(PairedOutcome other) {
        return new PairedOutcome(items + other.items, lost + other.lost, gained + other.gained);
    }

    /// By how much the fraction of right answers fell; negative when it rose.
    public double drop() {
        return items == 0 ? 0 : (double) (lost - gained) / items;
    }

    /// How often an answer turns right by chance, with half a gain added to what was seen: "no gain
    /// in 25 items" does not mean that gains are impossible.
    public double gainsRate() {
        return (gained + 0.5) / (items + 1.0);
    }

    /// One-sided mid-p of McNemar's exact conditional test: how probable a fall like this or worse
    /// is when an answer is as likely to turn right as wrong.
    ///
    /// Given `n = lost + gained` changed answers, the lost ones are Binomial(n, 1/2); the mid-p is
    /// P(X > lost) + P(X = lost) / 2. Fagerland, Lydersen and Laake (BMC Medical Research
    /// Methodology 13:91, 2013) recommend it over the exact test, which is too careful, and over
    /// the asymptotic one, which is not careful enough.
    public double pValue() {
        Binomial lostByChance = new Binomial(lost + gained, 0.5);
        return lostByChance.atLeast(lost + 1) + lostByChance.at(lost) / 2;
    }
}
