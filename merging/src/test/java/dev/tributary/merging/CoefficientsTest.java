package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.merging.method.DivMerge;
import dev.tributary.merging.method.Granularity;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CoefficientsTest {
    private static final List<String> GROUPS = List.of("embeddings", "layer.0");
    private static final List<String> TENSORS = List.of("words", "query", "key");
    private static final Map<String, String> LAYERS =
            Map.of("words", "embeddings", "query", "layer.0", "key", "layer.0");

    @Test
    void startsWholeForOneHalfForTwoAndEqualSharesForMore() {
        assertThat(DivMerge.defaults().start(1)).isEqualTo(1.0);
        assertThat(DivMerge.defaults().start(2)).isEqualTo(0.5);
        assertThat(DivMerge.defaults().start(4)).isEqualTo(0.25);
    }

    @Test
    void aWarmStartKeepsWhatIsKnownAndAddsTheNewTask() {
        Coefficients old =
                new Coefficients(
                        Granularity.LAYER,
                        List.of("hedges", "spam"),
                        GROUPS,
                        List.of(0.1, 0.2, 0.3, 0.4));
        Coefficients start =
                old.startFor(
                        Granularity.LAYER,
                        List.of("nouns", "spam", "verse"),
                        List.of("embeddings", "layer.0", "pooler"),
                        Map.of());
        assertThat(start.of("spam")).containsExactly(0.3, 0.4, 0.5);
        assertThat(start.of("nouns")).containsExactly(0.3, 0.4, 0.5);
    }

    @Test
    void aTaskThatJoinsStartsAtTheMeanOfThoseThatStayLayerByLayer() {
        Coefficients old =
                new Coefficients(
                        Granularity.LAYER,
                        List.of("gone", "hedges", "spam"),
                        GROUPS,
                        List.of(9.0, 9.0, 0.25, 0.5, 0.75, 2.0));
        List<String> tasks = List.of("hedges", "nouns", "spam");

        assertThat(old.startFor(Granularity.LAYER, tasks, GROUPS, Map.of()).of("nouns"))
                .containsExactly(0.5, 1.25);
        assertThat(old.startFor(Granularity.TASK, tasks, GROUPS, Map.of()).of("nouns"))
                .containsOnly((0.25 + 0.5 + 0.75 + 2.0) / 4);
        assertThat(old.startFor(Granularity.TASK, List.of("nouns"), GROUPS, Map.of()).of("nouns"))
                .containsOnly(0.5);
    }

    @Test
    void onlyWhatWasLearntAmongOthersIsAStart() {
        Coefficients two =
                Coefficients.uniform(Granularity.LAYER, List.of("hedges", "spam"), GROUPS, 0.3);
        Coefficients one = Coefficients.uniform(Granularity.LAYER, List.of("spam"), GROUPS, 1);

        assertThat(two.isStartFor(List.of("spam", "verse"))).isTrue();
        assertThat(two.isStartFor(List.of("nouns", "verse"))).isFalse();
        assertThat(one.isStartFor(List.of("nouns", "spam"))).isFalse();
    }

    @Test
    void aWarmStartChangesBetweenGranularities() {
        Coefficients byLayer =
                new Coefficients(Granularity.LAYER, List.of("spam"), GROUPS, List.of(0.2, 0.4));
        Coefficients byTask = byLayer.startFor(Granularity.TASK, List.of("spam"), GROUPS, LAYERS);
        assertThat(byTask.values().getFirst()).isEqualTo((0.2 + 0.4) / 2);
        assertThat(byTask.startFor(Granularity.LAYER, List.of("spam"), GROUPS, LAYERS).of("spam"))
                .containsOnly((0.2 + 0.4) / 2);
        assertThat(byTask.startFor(Granularity.TENSOR, List.of("spam"), TENSORS, LAYERS).of("spam"))
                .containsOnly((0.2 + 0.4) / 2);
    }

    @Test
    void aTensorStartsWhereItsLayerWasAndALayerAtTheMeanOfItsTensors() {
        Coefficients byLayer =
                new Coefficients(Granularity.LAYER, List.of("spam"), GROUPS, List.of(0.2, 0.4));
        Coefficients byTensor =
                byLayer.startFor(Granularity.TENSOR, List.of("nouns", "spam"), TENSORS, LAYERS);
        assertThat(byTensor.of("spam")).containsExactly(0.2, 0.4, 0.4);
        assertThat(byTensor.of("nouns")).containsExactly(0.2, 0.4, 0.4);

        Coefficients moved =
                new Coefficients(
                        Granularity.TENSOR, List.of("spam"), TENSORS, List.of(0.1, 0.3, 0.7));
        assertThat(moved.startFor(Granularity.LAYER, List.of("spam"), GROUPS, LAYERS).of("spam"))
                .containsExactly(0.1, 0.5);
    }

    @Test
    void aTensorNeverSeenStartsAsATaskThatJoins() {
        Coefficients known =
                new Coefficients(
                        Granularity.TENSOR,
                        List.of("spam"),
                        TENSORS.subList(0, 2),
                        List.of(0.1, 0.3));
        assertThat(known.startFor(Granularity.TENSOR, List.of("spam"), TENSORS, LAYERS).of("spam"))
                .containsExactly(0.1, 0.3, 0.5);
    }

    @Test
    void aTaskLevelCoefficientHoldsForEveryGroup() {
        Coefficients coefficients =
                Coefficients.uniform(Granularity.TASK, List.of("spam"), GROUPS, 0.7);
        assertThat(coefficients.values()).hasSize(1);
        assertThat(coefficients.of("spam")).containsExactly(0.7, 0.7);
    }

    @Test
    void valuesThatDoNotFitOrAreNoNumbersAreRefused() {
        assertThatThrownBy(() ->
                        new Coefficients(Granularity.LAYER, List.of("spam"), GROUPS, List.of(0.1)))
                .hasMessageContaining("1 values for 1 tasks and 2 groups at layer level");
        assertThatThrownBy(() ->
                        Coefficients.uniform(Granularity.TASK, List.of("spam"), GROUPS, Double.NaN))
                .hasMessageContaining("NaN");
        assertThatThrownBy(() ->
                        Coefficients.uniform(Granularity.TASK, List.of("spam"), GROUPS, 1)
                                .get("hedges", "embeddings"))
                .hasMessageContaining("no task 'hedges'");
    }
}
