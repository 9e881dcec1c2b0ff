package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.merging.method.DivMerge;
import dev.tributary.merging.method.Granularity;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.MethodCatalogue;
import dev.tributary.merging.method.OptionReader;
import dev.tributary.merging.method.Setting;
import dev.tributary.merging.method.TaskArithmetic;
import dev.tributary.merging.method.Ties;
import dev.tributary.merging.method.TrimScope;
import dev.tributary.merging.method.WeightAveraging;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class MergeExecutorTest {
    private static final MergeMethod AVERAGE = new WeightAveraging();
    private static final MergeMethod SUM = new TaskArithmetic(1.0);
    private static final MergeMethod TIES = new Ties(1.0, 1.0, TrimScope.GLOBAL);

    private final Random random = new Random(11);
    private final List<Checkpoint> open = new ArrayList<>();
    private int outputs;

    @TempDir private Path folder;

    @AfterEach
    void close() {
        open.forEach(Checkpoint::close);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 255, MergeExecutor.BLOCK_ELEMENTS, MergeExecutor.BLOCK_ELEMENTS + 3})
    void oneExpertWholeIsThatExpert(int size) {
        float[] expert = values(size);
        TinyCheckpoint base = TinyCheckpoint.of("w", values(size));
        assertThat(merge(base, AVERAGE, member("a", expert))).isEqualTo(expert);
        for (MergeMethod method : List.of(SUM, TIES)) {
            assertClose(merge(base, method, member("a", expert)), expert);
        }
    }

    @Test
    void identicalExpertsAverageToThemselves() {
        float[] expert = values(1000);
        TinyCheckpoint base = TinyCheckpoint.of("w", values(1000));
        Member[] same = {member("a", expert), member("b", expert), member("c", expert)};
        assertClose(merge(base, AVERAGE, same), expert);
        assertClose(merge(base, TIES, same), expert);
        assertClose(merge(base, new TaskArithmetic(1.0 / 3), same), expert);
    }

    @Test
    void theOrderOfTheExpertsChangesNoBit() {
        TinyCheckpoint base = TinyCheckpoint.of("w", values(5000));
        List<Member> members =
                new ArrayList<>(
                        List.of(
                                member("a", values(5000)),
                                member("b", values(5000)),
                                member("c", values(5000))));
        for (MergeMethod method : List.of(AVERAGE, SUM, new Ties(0.2, 1.0, TrimScope.GLOBAL))) {
            float[] straight = merge(base, method, members.toArray(Member[]::new));
            Collections.reverse(members);
            assertThat(merge(base, method, members.toArray(Member[]::new))).isEqualTo(straight);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ties", "dare_ties", "della", "breadcrumbs_ties"})
    void taskVectorsThatTouchDifferentEntriesAddUpWhereSignsAreElected(String id) {
        MergeMethod whole =
                OptionReader.read(MethodCatalogue.find(id).orElseThrow(), Map.of(), true);
        float[] base = values(300);
        float[] first = base.clone();
        float[] second = base.clone();
        for (int i = 0; i < 100; i++) {
            first[i] += 0.5f;
            second[100 + i] -= 0.25f;
        }
        float[] merged =
                merge(TinyCheckpoint.of("w", base), whole, member("a", first), member("b", second));
        for (int i = 0; i < 300; i++) {
            float wanted = i < 100 ? first[i] : second[i];
            assertThat(merged[i]).isCloseTo(wanted, within(1e-6f));
        }
    }

    @ParameterizedTest
    @EnumSource(TrimScope.class)
    void tiesKeepsExactlyTheShareAskedForEvenAmongEqualMagnitudes(TrimScope scope) {
        float[] base = new float[100_000];
        float[] expert = new float[base.length];
        for (int i = 0; i < expert.length; i++) {
            expert[i] = i % 2 == 0 ? 0.5f : -0.5f;
        }
        float[] merged =
                merge(TinyCheckpoint.of("w", base), new Ties(0.3, 1.0, scope), member("a", expert));
        int kept = 0;
        for (float value : merged) {
            kept += value != 0 ? 1 : 0;
        }
        assertThat(kept).isEqualTo(30_000);
        int dropped = expert.length - 30_000;
        assertThat(Arrays.copyOfRange(merged, dropped, expert.length))
                .isEqualTo(Arrays.copyOfRange(expert, dropped, expert.length));
    }

    @Test
    void theGlobalTrimLooksAtAllTensorsAtOnce() {
        TinyCheckpoint base = TinyCheckpoint.of("a", new float[50]).with("b", new float[50]);
        float[] large = filled(50, 2f);
        float[] small = filled(50, 1f);
        TinyCheckpoint expert = TinyCheckpoint.of("a", small).with("b", large);
        MergeMethod global = new Ties(0.5, 1.0, TrimScope.GLOBAL);
        Path merged = mergeFile(base, global, expert.member(next("expert"), "t"));
        assertThat(Golden.tensors(merged).get("a")).containsOnly(0f);
        assertThat(Golden.tensors(merged).get("b")).containsOnly(2f);
        MergeMethod perTensor = new Ties(0.5, 1.0, TrimScope.PER_TENSOR);
        Path each = mergeFile(base, perTensor, expert.member(next("expert"), "t"));
        assertThat(Golden.tensors(each).get("a")).startsWith(new float[25]).endsWith(1f, 1f);
    }

    /// Few entries are sorted, more are sampled first; coarse ones have many at the cut, of which
    /// the last are kept.
    @ParameterizedTest
    @CsvSource({
        "20000, 0.137, false",
        "300000, 0.137, false",
        "300000, 0.9, false",
        "300000, 0.0005, false",
        "20000, 0.137, true",
        "700000, 0.2, true",
        "300000, 0.97, true"
    })
    void aTrimCutsWhereAFullSortWould(int size, double density, boolean coarse) {
        float[] task = values(size);
        for (int i = 0; coarse && i < size; i++) {
            task[i] = Math.round(task[i] * 8) / 8f;
        }
        float[] merged =
                merge(
                        TinyCheckpoint.of("w", new float[task.length]),
                        new Ties(density, 1.0, TrimScope.GLOBAL),
                        member("a", task));
        int wanted = (int) (density * size);
        List<Integer> largestFirst = new ArrayList<>();
        for (int i = size - 1; i >= 0; i--) {
            largestFirst.add(i);
        }
        largestFirst.sort(Comparator.comparingDouble((Integer i) -> -Math.abs(task[i])));
        float[] expected = new float[size];
        largestFirst.subList(0, wanted).forEach(i -> expected[i] = task[i]);
        assertThat(merged).isEqualTo(expected);
    }

    @Test
    void anUntouchedExpertChangesNothing() {
        float[] base = values(100);
        TinyCheckpoint checkpoint = TinyCheckpoint.of("w", base);
        for (MergeMethod method : List.of(AVERAGE, SUM, new Ties(0.2, 1.0, TrimScope.GLOBAL))) {
            assertThat(merge(checkpoint, method, member("a", base), member("b", base)))
                    .isEqualTo(base);
        }
    }

    @Test
    void weightsScaleAndNormalize() {
        TinyCheckpoint base = TinyCheckpoint.of("w", 0f);
        Member one = TinyCheckpoint.of("w", 1f).member(next("x"), "a", 3, null);
        Member five = TinyCheckpoint.of("w", 5f).member(next("x"), "b", 1, null);
        assertThat(merge(base, AVERAGE, one, five)).containsExactly(2f);
        assertThat(merge(base, new WeightAveraging(false), one, five)).containsExactly(8f);
        assertThat(merge(base, new TaskArithmetic(0.5), one, five)).containsExactly(4f);
        assertThat(merge(base, new TaskArithmetic(Setting.of(0.5), true), one, five))
                .containsExactly(1f);
        assertThat(merge(base, TIES, one, five)).containsExactly(2f);
        assertThat(
                        merge(
                                base,
                                new Ties(Setting.ONE, Setting.ONE, TrimScope.GLOBAL, false),
                                one,
                                five))
                .containsExactly(8f);
    }

    @Test
    void aMembersOwnDensityReplacesTheMethods() {
        TinyCheckpoint base = TinyCheckpoint.of("w", new float[10]);
        Member all =
                TinyCheckpoint.of("w", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
                        .member(next("x"), "a", 1.0, 0.3);
        assertThat(merge(base, TIES, all)).containsExactly(0, 0, 0, 0, 0, 0, 0, 8, 9, 10);
    }

    @Test
    void halfPrecisionIsSummedInFullAndRoundedOnce() {
        List<Long> shape = List.of(1L);
        TinyCheckpoint base = new TinyCheckpoint().with("w", Dtype.BF16, shape, 1f);
        // Each task vector alone is lost in bf16 beside 1; their sum is not.
        Member[] members = new Member[4];
        for (int m = 0; m < members.length; m++) {
            members[m] =
                    new TinyCheckpoint()
                            .with("w", Dtype.F32, shape, 1f + 0x1p-9f)
                            .member(next("x"), "t" + m);
        }
        Path merged = mergeFile(base, SUM, members);
        try (Checkpoint read = asCheckpoint(merged)) {
            assertThat(read.tensors().get("w")).extracting("dtype").isEqualTo(Dtype.BF16);
            float[] value = new float[1];
            read.readFloats("w", 0, java.lang.foreign.MemorySegment.ofArray(value));
            assertThat(value).containsExactly(1f + 0x1p-7f);
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
    void aNanInOneExpertStopsTheMergeWithItsPlaceAndLeavesNoFile(float poison) {
        float[] bad = values(MergeExecutor.BLOCK_ELEMENTS + 100);
        bad[MergeExecutor.BLOCK_ELEMENTS + 7] = poison;
        TinyCheckpoint base = TinyCheckpoint.of("w", values(bad.length));
        for (MergeMethod method : List.of(AVERAGE, SUM, new Ties(0.2, 1.0, TrimScope.PER_TENSOR))) {
            Path target = next("merged").resolve("model.safetensors");
            RefusedException refused =
                    catchThrowableOfType(
                            RefusedException.class,
                            () ->
                                    mergeInto(
                                            target,
                                            base,
                                            method,
                                            null,
                                            member("good", values(bad.length)),
                                            member("poisoned", bad)));
            assertThat(refused.faults()).extracting("code").containsExactly(FailureCode.NON_FINITE);
            assertThat(refused)
                    .hasMessageContaining("[poisoned w]")
                    .hasMessageContaining("index " + (MergeExecutor.BLOCK_ELEMENTS + 7));
            assertThat(target).doesNotExist();
        }
    }

    @Test
    void aSumTooLargeForItsTypeIsAFaultOfTheTensor() {
        TinyCheckpoint base = new TinyCheckpoint().with("w", Dtype.F16, List.of(1L), 1f);
        Member large =
                new TinyCheckpoint()
                        .with("w", Dtype.F16, List.of(1L), 60000f)
                        .member(next("x"), "a");
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class,
                        () -> mergeFile(base, new TaskArithmetic(2), large));
        assertThat(refused).hasMessage("[w] became too large for F16: coefficients too large?");
    }

    @Test
    void tensorsOfIntegersAreCarriedOverAndMustAgree() {
        TinyCheckpoint base =
                TinyCheckpoint.of("w", 1f).with("ids", Dtype.I64, List.of(2L), 5f, 6f);
        Member same =
                TinyCheckpoint.of("w", 2f)
                        .with("ids", Dtype.I64, List.of(2L), 5f, 6f)
                        .member(next("x"), "a");
        try (Checkpoint merged = asCheckpoint(mergeFile(base, SUM, same))) {
            assertThat(merged.data("ids").get(java.lang.foreign.ValueLayout.JAVA_BYTE, 8))
                    .isEqualTo((byte) 6);
        }
        Member other =
                TinyCheckpoint.of("w", 2f)
                        .with("ids", Dtype.I64, List.of(2L), 5f, 7f)
                        .member(next("x"), "a");
        assertThat(catchThrowableOfType(RefusedException.class, () -> mergeFile(base, SUM, other)))
                .hasMessageContaining("[a ids] differs from the base's");
    }

    @Test
    void theSameMergeTwiceGivesTheSameBytes() {
        TinyCheckpoint base = TinyCheckpoint.of("w", values(3000)).with("v", values(70));
        TinyCheckpoint expert = TinyCheckpoint.of("w", values(3000)).with("v", values(70));
        MergeMethod method = new Ties(0.2, 1.0, TrimScope.GLOBAL);
        Path first = mergeFile(base, method, expert.member(next("x"), "a"));
        Path second = mergeFile(base, method, expert.member(next("x"), "a"));
        assertThat(Digest.of(first)).isEqualTo(Digest.of(second));
    }

    @Test
    void learntCoefficientsAreAppliedGroupByGroup() {
        TinyCheckpoint base = TinyCheckpoint.of("w", 1f, 1f);
        MergePlan plan = MergePlanner.plan(open(base), List.of(member("a", 3f, 5f)), SUM);
        MergePlan learnt =
                new MergePlan(
                        plan.base(),
                        plan.members(),
                        DivMerge.defaults(),
                        plan.architecture(),
                        plan.shared(),
                        plan.taskTensors(),
                        plan.groups(),
                        0,
                        0,
                        0,
                        plan.estimate());
        Path target = next("merged").resolve("model.safetensors");
        MergeExecutor.execute(
                learnt,
                Coefficients.uniform(Granularity.LAYER, List.of("a"), plan.groups(), 0.25),
                target,
                new TreeMap<>(),
                Progress.SILENT);
        assertThat(Golden.tensors(target).get("w")).containsExactly(1.5f, 2f);
    }

    /// Within a few roundings of numbers of this size.
    private static void assertClose(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        float largest = 0;
        for (int i = 0; i < actual.length; i++) {
            largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
        }
        assertThat(largest).isLessThan(2e-6f);
    }

    private float[] merge(TinyCheckpoint base, MergeMethod method, Member... members) {
        return Golden.tensors(mergeFile(base, method, members)).get("w");
    }

    private Path mergeFile(TinyCheckpoint base, MergeMethod method, Member... members) {
        Path target = next("merged").resolve("model.safetensors");
        mergeInto(target, base, method, null, members);
        return target;
    }

    private void mergeInto(
            Path target,
            TinyCheckpoint base,
            MergeMethod method,
            @Nullable Coefficients coefficients,
            Member... members) {
        MergePlan plan = MergePlanner.plan(open(base), List.of(members), method);
        MergeExecutor.execute(plan, coefficients, target, new TreeMap<>(), Progress.SILENT);
    }

    private Checkpoint asCheckpoint(Path merged) {
        try {
            Files.writeString(merged.resolveSibling("config.json"), "{}");
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return Checkpoint.open(merged.resolveSibling(""));
    }

    private Member member(String task, float... values) {
        Member member = TinyCheckpoint.of("w", values).member(next(task), task);
        open.add(member.expert());
        return member;
    }

    private Checkpoint open(TinyCheckpoint checkpoint) {
        Checkpoint opened = checkpoint.open(next("base"));
        open.add(opened);
        return opened;
    }

    private Path next(String name) {
        try {
            return Files.createDirectories(folder.resolve(name + outputs++));
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private float[] values(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static float[] filled(int size, float value) {
        float[] values = new float[size];
        Arrays.fill(values, value);
        return values;
    }
}
