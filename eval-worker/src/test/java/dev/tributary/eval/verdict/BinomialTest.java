package dev.tributary.eval.verdict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.math.MathContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BinomialTest {

    /// binom.sf(k - 1, n, p) and binom.pmf(k, n, p) of SciPy 1.17.1.
    @ParameterizedTest
    @CsvSource({
        "10, 0.3, 4, 0.3503892815999998, 0.20012094899999988",
        "1000, 0.02, 35, 0.0013265586768662246, 0.0006216572894309837",
        "5000, 0.5, 2600, 0.002441824868758747, 0.0002066043875804275",
        "100000, 0.01, 1100, 0.0009117803412450804, 9.08104305837644e-05",
        "100000, 0.3, 29500, 0.9997287653047339, 7.0553588345603155e-06",
        "200, 0.95, 199, 0.0004040281004470259, 0.0003689754341981917",
        "40, 0.5, 40, 9.094947017729282e-13, 9.094947017729282e-13",
    })
    void agreesWithSciPy(int trials, double probability, int k, double tail, double mass) {
        Binomial binomial = new Binomial(trials, probability);

        assertThat(binomial.atLeast(k)).isCloseTo(tail, within(1e-10 * tail));
        assertThat(binomial.at(k)).isCloseTo(mass, within(1e-10 * mass));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.1, 0.5, 0.875, 0.999})
    void agreesWithEnumerationForUpToTwentyTrials(double probability) {
        for (int trials = 0; trials <= 20; trials++) {
            Binomial binomial = new Binomial(trials, probability);
            BigDecimal tail = BigDecimal.ZERO;
            for (int k = trials; k >= 0; k--) {
                BigDecimal mass = mass(trials, probability, k);
                tail = tail.add(mass);
                assertThat(binomial.at(k)).isCloseTo(mass.doubleValue(), within(1e-14));
                assertThat(binomial.atLeast(k)).isCloseTo(tail.doubleValue(), within(1e-14));
            }
        }
    }

    @Test
    void hasNothingOutsideItsRange() {
        Binomial binomial = new Binomial(5, 0.5);

        assertThat(binomial.at(-1)).isZero();
        assertThat(binomial.at(6)).isZero();
        assertThat(binomial.atLeast(6)).isZero();
        assertThat(binomial.atLeast(0)).isOne();
    }

    @Test
    void refusesWhatIsNoDistribution() {
        assertThatThrownBy(() -> new Binomial(-1, 0.5)).hasMessageContaining("-1 trials");
        assertThatThrownBy(() -> new Binomial(1, Double.NaN)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> new Binomial(1, 1)).hasMessageContaining("less than 1");
    }

    private static BigDecimal mass(int trials, double probability, int successes) {
        BigDecimal p = new BigDecimal(probability);
        BigDecimal mass = BigDecimal.ONE;
        for (int i = 1; i <= successes; i++) {
            mass =
                    mass.multiply(BigDecimal.valueOf(trials - successes + i))
                            .divide(BigDecimal.valueOf(i), MathContext.DECIMAL128);
        }
        return mass.multiply(p.pow(successes))
                .multiply(BigDecimal.ONE.subtract(p).pow(trials - successes));
    }
}
