package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.MethodCatalogue;
import dev.tributary.merging.method.MethodEntry;
import dev.tributary.merging.method.OptionReader;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What holds for every method that needs no data, whatever its formula.
class MethodPropertiesTest {
    private static final Map<String, float[]> BASE = SmallMerge.random(1, 1);

    /// Their definition does not return a single expert: they flatten its spectrum.
    private static final Set<String> NOT_THE_EXPERT = Set.of("iso_c", "iso_cts");

    /// Opcm projects each expert on those before it; a spherical interpolation has two ends.
    private static final Set<String> BY_NAME = Set.of("opcm", "slerp");

    @TempDir private Path folder;

    static Stream<MethodEntry<?>> methods() {
        return MethodCatalogue.entries().stream()
                .filter(entry -> !pool(entry).needs().runsModels());
    }

    private static MergeMethod pool(MethodEntry<?> entry) {
        return MergeMethod.of(entry.id(), Map.of());
    }

    /// With the defaults of recipes nothing is thinned out or left out, and scales are 1.
    private static MergeMethod whole(MethodEntry<?> entry) {
        boolean choosesForOthers =
                entry.options().stream().anyMatch(option -> option.name().equals("others"));
        return OptionReader.read(
                entry, choosesForOthers ? Map.of("others", "mean") : Map.of(), true);
    }

    private SmallMerge experts(MethodEntry<?> entry) {
        SmallMerge merge = new SmallMerge(folder, BASE);
        List<String> tasks = List.of("a", "b", "c");
        for (String task : tasks.subList(0, Math.min(3, entry.mostExperts()))) {
            merge.with(task, expert(task.hashCode()));
        }
        return merge;
    }

    private static Map<String, float[]> expert(int seed) {
        return SmallMerge.sum(BASE, SmallMerge.random(seed, 0.1));
    }

    private static List<String> reversed(MethodEntry<?> entry) {
        return List.of("a", "b", "c").subList(0, Math.min(3, entry.mostExperts())).reversed();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void theOrderOfTheExpertsChangesNoBit(MethodEntry<?> entry) throws IOException {
        SmallMerge merge = experts(entry);
        Path straight = merge.file(pool(entry), reversed(entry).reversed());
        Path reversed = merge.file(pool(entry), reversed(entry));
        assertThat(Files.mismatch(straight, reversed)).isEqualTo(-1);
    }

    /// The planner sorts experts by task, so that only another name brings one to another place.
    @ParameterizedTest
    @MethodSource("methods")
    void whatAnExpertIsCalledChangesNothing(MethodEntry<?> entry) {
        if (BY_NAME.contains(entry.id())) {
            return;
        }
        Map<String, float[]> straight = named(entry, List.of("a", "b", "c")).merge(whole(entry));
        Map<String, float[]> others = named(entry, List.of("c", "b", "a")).merge(whole(entry));
        straight.forEach((name, values) ->
                assertThat(others.get(name)).as(name).containsExactly(values, within(2e-5f)));
    }

    private SmallMerge named(MethodEntry<?> entry, List<String> names) {
        SmallMerge merge = new SmallMerge(folder.resolve(names.getFirst()), BASE);
        for (int expert = 0; expert < Math.min(3, entry.mostExperts()); expert++) {
            merge.with(names.get(expert), expert(expert));
        }
        return merge;
    }

    /// Beside those that decompose matrices.
    @ParameterizedTest
    @MethodSource("methods")
    void equalExpertsOnlyStretchTheirTaskVector(MethodEntry<?> entry) {
        if (Set.of("tsv_m", "iso_c", "iso_cts", "wudi", "opcm").contains(entry.id())) {
            return;
        }
        Map<String, float[]> expert = expert(7);
        SmallMerge merge = new SmallMerge(folder, BASE);
        for (String task : reversed(entry)) {
            merge.with(task, expert);
        }
        merge.merge(whole(entry))
                .forEach((name, values) -> {
                    float[] from = Objects.requireNonNull(BASE.get(name));
                    float[] to = Objects.requireNonNull(expert.get(name));
                    double along = 0;
                    double square = 0;
                    for (int i = 0; i < values.length; i++) {
                        along += (double) (values[i] - from[i]) * (to[i] - from[i]);
                        square += (double) (to[i] - from[i]) * (to[i] - from[i]);
                    }
                    assertThat(along / square).as(name).isBetween(0.999, 3.001);
                    for (int i = 0; i < values.length; i++) {
                        double expected = from[i] + along / square * (to[i] - from[i]);
                        assertThat((double) values[i]).as(name).isCloseTo(expected, within(2e-5));
                    }
                });
    }

    @ParameterizedTest
    @MethodSource("methods")
    void anExpertThatNeverMovedBesideOthersIsNoError(MethodEntry<?> entry) {
        experts(entry)
                .with("a", BASE)
                .merge(pool(entry))
                .forEach((name, values) -> {
                    for (float value : values) {
                        assertThat(value).as(name).isFinite();
                    }
                });
    }

    @ParameterizedTest
    @MethodSource("methods")
    void theNumberOfThreadsChangesNoBit(MethodEntry<?> entry) throws IOException {
        SmallMerge merge = experts(entry);
        Path one = merge.file(pool(entry), reversed(entry));
        String before = System.setProperty("tributary.threads", "3");
        try {
            Path three = merge.file(pool(entry), reversed(entry));
            assertThat(Files.mismatch(one, three)).isEqualTo(-1);
        } finally {
            System.setProperty("tributary.threads", before == null ? "1" : before);
        }
    }

    @ParameterizedTest
    @MethodSource("methods")
    void oneExpertWholeIsThatExpert(MethodEntry<?> entry) {
        if (NOT_THE_EXPERT.contains(entry.id())) {
            return;
        }
        Map<String, float[]> expert = expert(7);
        Map<String, float[]> merged =
                new SmallMerge(folder, BASE).with("a", expert).merge(whole(entry));
        merged.forEach((name, values) ->
                assertThat(values)
                        .as(name)
                        .containsExactly(Objects.requireNonNull(expert.get(name)), within(2e-5f)));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void expertsThatNeverMovedGiveTheBase(MethodEntry<?> entry) {
        SmallMerge merge = new SmallMerge(folder, BASE);
        for (String task : reversed(entry)) {
            merge.with(task, BASE);
        }
        merge.merge(pool(entry))
                .forEach((name, values) ->
                        assertThat(values)
                                .as(name)
                                .containsExactly(
                                        Objects.requireNonNull(BASE.get(name)), within(1e-6f)));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void modelsOfZerosGiveZeros(MethodEntry<?> entry) {
        Map<String, float[]> zeros = new LinkedHashMap<>();
        BASE.forEach((name, values) -> zeros.put(name, new float[values.length]));
        SmallMerge merge = new SmallMerge(folder, zeros);
        for (String task : reversed(entry)) {
            merge.with(task, zeros);
        }
        merge.merge(pool(entry)).values().forEach(values -> assertThat(values).containsOnly(0f));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void aNanInAnExpertIsRefusedByNameAndLeavesNothing(MethodEntry<?> entry) {
        Map<String, float[]> broken = expert(8);
        Objects.requireNonNull(broken.get("model.layers.1.up.weight"))[17] = Float.NaN;
        SmallMerge merge = experts(entry).with("a", broken);
        RefusedException refused =
                catchThrowableOfType(RefusedException.class, () -> merge.merge(pool(entry)));
        assertThat(refused).isNotNull();
        Fault fault = refused.faults().getFirst();
        assertThat(fault.code()).isEqualTo(FailureCode.NON_FINITE);
        assertThat(fault.where()).isEqualTo("a model.layers.1.up.weight");
        assertThat(fault.sentence()).contains("at index 17");
        assertThat(merge.lastFolder().toFile().list((_, name) -> name.contains("merged")))
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void anInfinityInAnExpertIsRefusedByName(MethodEntry<?> entry) {
        Map<String, float[]> broken = expert(8);
        Objects.requireNonNull(broken.get("model.scale"))[0] = Float.NEGATIVE_INFINITY;
        SmallMerge merge = experts(entry).with("a", broken);
        RefusedException refused =
                catchThrowableOfType(RefusedException.class, () -> merge.merge(pool(entry)));
        assertThat(refused).isNotNull();
        assertThat(refused.faults()).extracting(Fault::where).containsExactly("a model.scale");
    }

    @ParameterizedTest
    @MethodSource("methods")
    void halfPrecisionIsMergedLikeSinglePrecision(MethodEntry<?> entry) {
        Map<String, float[]> coarse = rounded(BASE);
        SmallMerge single = new SmallMerge(folder.resolve("f32"), coarse);
        SmallMerge half = new SmallMerge(folder.resolve("bf16"), coarse).stored(Dtype.BF16);
        for (String task : reversed(entry)) {
            Map<String, float[]> expert = rounded(expert(task.hashCode()));
            single.with(task, expert);
            half.with(task, expert);
        }
        Map<String, float[]> wanted = single.merge(pool(entry));
        half.merge(pool(entry))
                .forEach((name, values) -> assertThat(values).as(name).isEqualTo(wanted.get(name)));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void excludedTensorsStayAsTheyAreInTheBase(MethodEntry<?> entry) {
        MergeMethod method =
                MergeMethod.of(entry.id(), Map.of("exclude", "*embed*, model.layers.1.*"));
        Map<String, float[]> merged = experts(entry).merge(method);
        merged.forEach((name, values) -> {
            if (name.contains("embed") || name.contains("layers.1")) {
                assertThat(values).as(name).isEqualTo(BASE.get(name));
            } else if (name.contains("up.weight")) {
                assertThat(values).as(name).isNotEqualTo(BASE.get(name));
            }
        });
        assertThat(MergeMethod.of(entry.id(), method.options())).isEqualTo(method);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void optionsReadBackAsTheSameMethod(MethodEntry<?> entry) {
        for (MergeMethod method : List.of(pool(entry), whole(entry))) {
            assertThat(method.id()).isEqualTo(entry.id());
            assertThat(MergeMethod.of(entry.id(), method.options())).isEqualTo(method);
        }
    }

    private static Map<String, float[]> rounded(Map<String, float[]> values) {
        Map<String, float[]> rounded = new LinkedHashMap<>();
        values.forEach((name, one) -> {
            float[] copy = new float[one.length];
            for (int i = 0; i < one.length; i++) {
                copy[i] = Float.intBitsToFloat(Float.floatToRawIntBits(one[i]) & 0xffff0000);
            }
            rounded.put(name, copy);
        });
        return rounded;
    }
}
