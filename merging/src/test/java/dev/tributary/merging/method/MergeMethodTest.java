package dev.tributary.merging.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MergeMethodTest {

    @Test
    void optionsLeftOutHaveTheirDefaults() {
        assertThat(MergeMethod.of("weight_averaging", Map.of())).isEqualTo(new WeightAveraging());
        assertThat(MergeMethod.of("task_arithmetic", Map.of())).isEqualTo(new TaskArithmetic(0.3));
        assertThat(MergeMethod.of("ties", Map.of()))
                .isEqualTo(new Ties(0.2, 1.0, TrimScope.GLOBAL));
        assertThat(MergeMethod.of("divmerge", Map.of())).isEqualTo(DivMerge.defaults());
    }

    @ParameterizedTest
    @ValueSource(strings = {"weight_averaging", "task_arithmetic", "ties", "divmerge"})
    void aMethodsOptionsReadBackAsTheSameMethod(String id) {
        MergeMethod method = MergeMethod.of(id, Map.of());
        assertThat(method.id()).isEqualTo(id);
        assertThat(MergeMethod.of(id, method.options())).isEqualTo(method);
    }

    @Test
    void everyOptionOfDivMergeCanBeSet() {
        Map<String, String> options =
                Map.ofEntries(
                        Map.entry("granularity", "task"),
                        Map.entry("divergence", "kl"),
                        Map.entry("teacher_tokens", "64"),
                        Map.entry("learning_rate", "0.02"),
                        Map.entry("decay", "none"),
                        Map.entry("samples_per_step", "8"),
                        Map.entry("max_steps", "7"),
                        Map.entry("warm_steps", "3"),
                        Map.entry("calibration_items", "33"),
                        Map.entry("evaluate_every", "5"),
                        Map.entry("patience", "2"),
                        Map.entry("min_improvement", "0.1"),
                        Map.entry("shares", "5"),
                        Map.entry("solver", "lbfgs"),
                        Map.entry("seed", "-9"));
        assertThat(MergeMethod.of("divmerge", options))
                .isEqualTo(
                        new DivMerge(
                                new DescentSettings(
                                        Granularity.TASK,
                                        0.02,
                                        Decay.NONE,
                                        8,
                                        7,
                                        3,
                                        33,
                                        5,
                                        2,
                                        0.1,
                                        5,
                                        -9),
                                Divergence.KL,
                                Solver.LBFGS,
                                64));
        assertThat(options.keySet()).isEqualTo(DivMerge.defaults().options().keySet());
    }

    @Test
    void allBadOptionsAreListedAtOnce() {
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class,
                        () ->
                                MergeMethod.of(
                                        "ties",
                                        Map.of(
                                                "density", "1.5",
                                                "lambda", "much",
                                                "trim", "everywhere",
                                                "normalize", "yes",
                                                "colour", "blue")));
        assertThat(refused.faults())
                .extracting(Fault::toString)
                .containsExactlyInAnyOrder(
                        "[ties.density] was '1.5', expected more than 0 and at most 1",
                        "[ties.lambda] was 'much', expected a finite number",
                        "[ties.trim] was 'everywhere', expected one of global, per_tensor",
                        "[ties.normalize] was 'yes', expected true or false",
                        "[ties.colour] is no option of ties, expected one of density, lambda, trim,"
                                + " normalize, trust_region, trust_region_removed,"
                                + " trust_region_items, include, exclude");
        assertThat(refused.faults()).extracting(Fault::code).containsOnly(FailureCode.BAD_OPTION);
    }

    @Test
    void aTrustRegionReadsBackWithWhatMattersToIt() {
        MergeMethod zeroShot = MergeMethod.of("ties", Map.of("trust_region", "zero_shot"));
        assertThat(zeroShot.options())
                .containsEntry("trust_region", "zero_shot")
                .containsEntry("trust_region_removed", "0.01")
                .doesNotContainKey("trust_region_items");
        assertThat(zeroShot.needs()).isEqualTo(MergeMethod.Needs.NOTHING);
        MergeMethod given =
                MergeMethod.of(
                        "dare_ties",
                        Map.of(
                                "trust_region", "given",
                                "trust_region_removed", "0.002",
                                "trust_region_items", "16",
                                "exclude", "*bias"));
        assertThat(given.needs()).isEqualTo(MergeMethod.Needs.LABELS);
        assertThat(given.calibrationItems()).isEqualTo(16);
        assertThat(given.statistics()).containsExactly(Statistic.ABSOLUTE_GRADIENT);
        assertThat(MergeMethod.of("dare_ties", given.options())).isEqualTo(given);
        MergeMethod none = MergeMethod.of("ties", Map.of("trust_region", "none"));
        assertThat(none).isEqualTo(MergeMethod.of("ties", Map.of()));
    }

    @Test
    void aTrustRegionIsRefusedWhereItSaysNothing() {
        assertThatThrownBy(() -> MergeMethod.of("ties", Map.of("trust_region_removed", "0.1")))
                .hasMessage(
                        "[ties.trust_region_removed] is stated without trust_region, expected both:"
                                + " there is no region to state it of");
        assertThatThrownBy(() ->
                        MergeMethod.of(
                                "ties",
                                Map.of("trust_region", "gradients", "trust_region_removed", "2")))
                .hasMessageContaining("expected one of none, zero_shot, predicted, given")
                .hasMessageContaining("[ties.trust_region_removed] was '2', expected at least 0");
        assertThatThrownBy(() -> MergeMethod.of("divmerge", Map.of("trust_region", "zero_shot")))
                .hasMessageContaining("[divmerge.trust_region] is no option of divmerge");
    }

    @Test
    void anUnknownMethodIsAnsweredWithTheKnownOnes() {
        assertThatThrownBy(() -> MergeMethod.of("dare-tiez", Map.of()))
                .isInstanceOf(RefusedException.class)
                .hasMessage(
                        "[method] 'dare-tiez' is no merge method, expected one of "
                                + String.join(", ", MethodCatalogue.ids()));
    }

    @Test
    void aMethodThatExistsCanRun() {
        assertThatThrownBy(() -> new TaskArithmetic(Double.NaN))
                .hasMessage("[lambda] was NaN, expected a finite number");
        assertThatThrownBy(() -> new Lot(Setting.of(1), 2, 64))
                .hasMessage("[ridge] was 2.0, expected at least 0 and at most 1");
        DescentSettings settings = DivMerge.defaults().descent();
        assertThatThrownBy(() ->
                        new DescentSettings(
                                settings.granularity(),
                                0,
                                settings.decay(),
                                settings.samplesPerStep(),
                                settings.maxSteps(),
                                settings.warmSteps(),
                                settings.calibrationItems(),
                                settings.evaluateEvery(),
                                settings.patience(),
                                settings.minImprovement(),
                                settings.shares(),
                                settings.seed()))
                .hasMessage("[learning_rate] was 0, expected more than 0 and at most 1");
        assertThatThrownBy(() -> new Ties(0, 1, TrimScope.GLOBAL))
                .hasMessage("[density] was 0, expected more than 0 and at most 1");
    }
}
