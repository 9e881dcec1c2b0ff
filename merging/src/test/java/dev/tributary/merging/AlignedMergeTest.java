package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.MethodCatalogue;
import dev.tributary.merging.method.MethodEntry;
import dev.tributary.merging.method.WeightAveraging;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Rows of embeddings belong to tokens. Where models have other tokens, or the same in another
/// order, the merge is bit for bit that of models whose rows were put in order by hand.
class AlignedMergeTest {
    private static final int TOKENS = 3000;
    private static final int PADDED = 3010;

    private final List<Checkpoint> open = new ArrayList<>();
    private int folders;

    @TempDir private Path folder;

    @AfterEach
    void close() {
        open.forEach(Checkpoint::close);
    }

    /// The base, an expert that has lost five of its tokens, got seven and mixed the rest up, and
    /// one that uses padded rows for three.
    private record Models(TinyModel base, TinyModel mixed, TinyModel grown) {
        static Models of(Dtype dtype, Dtype ofGrown, boolean tied) {
            List<String> base = IntStream.range(0, TOKENS).mapToObj(i -> "t" + i).toList();
            List<String> mixed = new ArrayList<>(base.subList(5, TOKENS));
            mixed.addAll(List.of("<u>", "<v>", "<w>", "<x>", "<y>", "<z>", "<both>"));
            Collections.shuffle(mixed, new Random(4));
            List<String> grown = new ArrayList<>(base);
            grown.addAll(List.of("<both>", "<p>", "<q>"));
            return new Models(
                    new TinyModel(base, PADDED, dtype, tied, 1),
                    new TinyModel(mixed, mixed.size(), dtype, tied, 2),
                    new TinyModel(grown, PADDED, ofGrown, tied, 3));
        }

        List<TinyModel> experts() {
            return List.of(mixed, grown);
        }
    }

    static Stream<MethodEntry<?>> methods() {
        return MethodCatalogue.entries().stream()
                .filter(entry -> entry.mostExperts() >= 2)
                .filter(entry -> !MergeMethod.of(entry.id(), Map.of()).needs().runsModels());
    }

    @ParameterizedTest
    @MethodSource("methods")
    void theBasesTokensAreFoundInEveryExpertByEveryMethod(MethodEntry<?> entry) throws IOException {
        Models models = Models.of(Dtype.BF16, Dtype.BF16, false);
        assertSameAsByHand(
                models, entry, VocabularyChoice.ofBase(), models.base().tokens(), PADDED);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void theUnionOfTokensIsThatOfModelsPutTogetherByHand(MethodEntry<?> entry) throws IOException {
        Models models = Models.of(Dtype.BF16, Dtype.F32, true);
        VocabularyChoice choice = VocabularyChoice.ofUnion().paddedTo(64);
        assertSameAsByHand(models, entry, choice, union(models), 3072);
    }

    @Test
    void theTokensOfOneExpertAreThoseOfTheMergedModel() throws IOException {
        Models models = Models.of(Dtype.BF16, Dtype.F32, false);
        Path mixed = models.mixed().write(next(), 3, true);
        VocabularyChoice choice = VocabularyChoice.ofModel(mixed);
        MergeMethod method = MergeMethod.of("task_arithmetic", Map.of());
        List<Member> members =
                List.of(
                        TinyModel.member(opened(mixed), "mixed"),
                        TinyModel.member(opened(models.grown().write(next())), "grown"));
        Path merged = execute(opened(models.base().write(next())), members, method, choice);
        List<String> tokens = models.mixed().tokens();
        assertThat(Files.mismatch(merged, byHand(models, method, tokens, tokens.size())))
                .isEqualTo(-1);
    }

    /// Base tokens, then those of the experts in the order of their names: grown before mixed.
    private static List<String> union(Models models) {
        Set<String> union = new LinkedHashSet<>(models.base().tokens());
        union.addAll(models.grown().tokens());
        union.addAll(models.mixed().tokens());
        return List.copyOf(union);
    }

    private void assertSameAsByHand(
            Models models,
            MethodEntry<?> entry,
            VocabularyChoice choice,
            List<String> tokens,
            int rows)
            throws IOException {
        MergeMethod method = MergeMethod.of(entry.id(), Map.of());
        Checkpoint base = opened(models.base().write(next()));
        List<Member> members =
                List.of(
                        TinyModel.member(opened(models.mixed().write(next(), 2, true)), "mixed"),
                        TinyModel.member(opened(models.grown().write(next())), "grown"));
        Path aligned = execute(base, members, method, choice);
        Path byHand = byHand(models, method, tokens, rows);
        assertThat(Files.mismatch(aligned, byHand)).isEqualTo(-1);
    }

    private Path byHand(Models models, MergeMethod method, List<String> tokens, int rows) {
        TinyModel base = models.base().withRows(tokens, baseTables(models, tokens, rows));
        List<Member> members = new ArrayList<>();
        for (TinyModel expert : models.experts()) {
            TinyModel ordered = expert.withRows(tokens, tables(expert, base, tokens, rows));
            members.add(
                    TinyModel.member(
                            opened(ordered.write(next())),
                            expert == models.mixed() ? "mixed" : "grown"));
        }
        return execute(opened(base.write(next())), members, method, null);
    }

    private static Map<String, float[]> baseTables(Models models, List<String> tokens, int rows) {
        Map<String, float[]> tables = new HashMap<>();
        for (String tensor : models.base().vocabularyTensors()) {
            tables.put(
                    tensor,
                    table(
                            tensor,
                            rows,
                            row -> {
                                int own = place(models.base(), tokens, row);
                                return own >= 0
                                        ? models.base().row(tensor, own)
                                        : mean(models, tensor, tokens, row);
                            }));
        }
        return tables;
    }

    private static Map<String, float[]> tables(
            TinyModel expert, TinyModel base, List<String> tokens, int rows) {
        Map<String, float[]> tables = new HashMap<>();
        for (String tensor : expert.vocabularyTensors()) {
            tables.put(
                    tensor,
                    table(
                            tensor,
                            rows,
                            row -> {
                                int own = place(expert, tokens, row);
                                return own >= 0 ? expert.row(tensor, own) : base.row(tensor, row);
                            }));
        }
        return tables;
    }

    private interface Rows {
        float[] row(int row);
    }

    private static float[] table(String tensor, int rows, Rows source) {
        int columns = tensor.equals(TinyModel.BIAS) ? 1 : TinyModel.COLUMNS;
        float[] table = new float[rows * columns];
        for (int row = 0; row < rows; row++) {
            System.arraycopy(source.row(row), 0, table, row * columns, columns);
        }
        return table;
    }

    private static int place(TinyModel model, List<String> tokens, int row) {
        if (row < tokens.size()) {
            return model.id(tokens.get(row));
        }
        return row >= model.tokens().size() && row < model.rows() ? row : -1;
    }

    /// Of the experts that have the token, in the order of their names, rounded as the base is.
    private static float[] mean(Models models, String tensor, List<String> tokens, int row) {
        double[] sum = new double[tensor.equals(TinyModel.BIAS) ? 1 : TinyModel.COLUMNS];
        int having = 0;
        for (TinyModel expert : List.of(models.grown(), models.mixed())) {
            int own = place(expert, tokens, row);
            if (own >= 0) {
                having++;
                float[] values = expert.row(tensor, own);
                Arrays.setAll(sum, i -> sum[i] + values[i]);
            }
        }
        float[] mean = new float[sum.length];
        for (int i = 0; i < mean.length; i++) {
            mean[i] = (float) (sum[i] / Math.max(1, having));
        }
        return TinyModel.stored(mean, models.base().dtype());
    }

    private Path execute(
            Checkpoint base,
            List<Member> members,
            MergeMethod method,
            @Nullable VocabularyChoice choice) {
        MergePlan plan = MergePlanner.plan(base, members, method, null, choice);
        assertThat(plan.vocabulary().isPresent()).isEqualTo(choice != null);
        Path merged = next().resolve("merged.safetensors");
        MergeExecutor.execute(plan, null, merged, new TreeMap<>(), Progress.SILENT);
        return merged;
    }

    private Checkpoint opened(Path directory) {
        Checkpoint checkpoint = Checkpoint.open(directory);
        open.add(checkpoint);
        return checkpoint;
    }

    private Path next() {
        try {
            return Files.createDirectories(folder.resolve("f" + folders++));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static TinyModel model(long seed, int rows, String... tokens) {
        return new TinyModel(List.of(tokens), rows, Dtype.F32, true, seed);
    }

    private List<String> faults(
            TinyModel base,
            TinyModel expert,
            @Nullable VocabularyChoice choice,
            boolean tokenizer) {
        Checkpoint opened = opened(base.write(next(), 1, tokenizer));
        Member member = TinyModel.member(opened(expert.write(next(), 1, tokenizer)), "chat");
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class,
                        () ->
                                MergePlanner.plan(
                                        opened,
                                        List.of(member),
                                        new WeightAveraging(),
                                        null,
                                        choice));
        return refused == null
                ? List.of()
                : refused.faults().stream().map(Fault::toString).toList();
    }

    @Test
    void otherTokensAreAFaultUntilSomebodySaysWhoseAreWanted() {
        TinyModel base = model(1, 3, "a", "b", "c");
        TinyModel more = model(2, 4, "a", "b", "c", "<tool>");
        String align =
                ": align rows by token with tokenizer_source (base, union or a model of the recipe)";
        assertThat(faults(base, more, null, true))
                .containsExactly(
                        "[chat final_logits_bias] has 4 vocabulary rows, the base 3, and its first"
                                + " other token is 3, '<tool>' here and none there"
                                + align,
                        "[chat model.embed_tokens.weight] has 4 vocabulary rows, the base 3, and its"
                                + " first other token is 3, '<tool>' here and none there"
                                + align);
        assertThat(faults(base, more, VocabularyChoice.ofUnion(), true)).isEmpty();
    }

    @Test
    void asManyRowsInAnotherOrderAreAFaultToo() {
        assertThat(faults(model(1, 3, "a", "b", "c"), model(2, 3, "a", "c", "b"), null, true))
                .containsExactly(
                        "[chat model.embed_tokens.weight] has 3 vocabulary rows, the base 3, and its"
                                + " first other token is 1, 'c' here and 'b' there: align rows by"
                                + " token with tokenizer_source (base, union or a model of the"
                                + " recipe)");
    }

    @Test
    void aTokenThatHasNoRowDiffersFromNothing() {
        TinyModel base = model(1, 3, "a", "b", "c");
        assertThat(faults(base, model(2, 3, "a", "b", "c", "[PAD]"), null, true)).isEmpty();
    }

    @Test
    void rowsThatNoTokenUsesAreNotCutSilently() {
        assertThat(faults(model(1, 4, "a", "b", "c"), model(2, 3, "a", "b", "c"), null, true))
                .hasSize(2)
                .allMatch(fault ->
                        fault.contains("the same tokens: they differ in rows that no token uses"));
    }

    @Test
    void withoutTokenizersOnlyTheNumberOfRowsCanBeCompared() {
        TinyModel base = model(1, 3, "a", "b", "c");
        assertThat(faults(base, model(2, 3, "c", "b", "a"), null, false)).isEmpty();
        assertThat(faults(base, model(2, 4, "a", "b", "c", "d"), null, false))
                .hasSize(2)
                .allMatch(fault -> fault.contains("no tokenizer.json, vocab.json or vocab.txt"));
        assertThat(faults(base, model(2, 4, "a", "b", "c", "d"), VocabularyChoice.ofBase(), false))
                .hasSize(2)
                .allMatch(
                        fault -> fault.contains("expected one: rows are aligned by their tokens"));
    }

    @Test
    void thePlanSaysWhatBecomesOfEveryExpertsTokens() {
        Models models = Models.of(Dtype.F32, Dtype.F32, true);
        Checkpoint base = opened(models.base().write(next()));
        List<Member> members =
                List.of(
                        TinyModel.member(opened(models.mixed().write(next())), "mixed"),
                        TinyModel.member(opened(models.grown().write(next())), "grown"));
        VocabularyPlan plan =
                MergePlanner.plan(
                                base,
                                members,
                                new WeightAveraging(),
                                null,
                                VocabularyChoice.ofBase())
                        .vocabulary()
                        .orElseThrow();
        assertThat(plan.tokens()).isEqualTo(TOKENS);
        assertThat(plan.rows()).isEqualTo(PADDED);
        assertThat(plan.members().get(0))
                .isEqualTo(
                        new VocabularyPlan.Share(
                                "grown", TOKENS, 0, 3, List.of("<both>", "<p>", "<q>")));
        assertThat(plan.members().get(1).shared()).isEqualTo(TOKENS - 5);
        assertThat(plan.members().get(1).missing()).isEqualTo(5);
        assertThat(plan.members().get(1).leftOut()).isEqualTo(7);
        assertThat(plan.members().get(1).examples()).hasSize(5);
    }

    @Test
    void modelsOfOneVocabularyAreMergedAsTheyLie() {
        TinyModel base = model(1, 5, "a", "b", "c");
        Checkpoint opened = opened(base.write(next()));
        Member member = TinyModel.member(opened(model(2, 5, "a", "b", "c").write(next())), "x");
        assertThat(
                        MergePlanner.plan(
                                        opened,
                                        List.of(member),
                                        new WeightAveraging(),
                                        null,
                                        VocabularyChoice.ofUnion())
                                .vocabulary())
                .isEmpty();
    }

    @Test
    void aMethodThatRunsTheModelsRefusesOtherTokensByName() {
        Checkpoint base = opened(model(1, 3, "a", "b", "c").write(next()));
        Member member = TinyModel.member(opened(model(2, 3, "a", "c", "b").write(next())), "x");
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class,
                        () ->
                                MergePlanner.plan(
                                        base,
                                        List.of(member),
                                        MergeMethod.of("fisher", Map.of()),
                                        null,
                                        VocabularyChoice.ofBase()));
        assertThat(refused.faults())
                .extracting(Fault::toString)
                .contains(
                        "[tokenizer_source] would align the rows of different tokens, but fisher runs"
                                + " the models, each with its own: expected a method that needs no"
                                + " data, or models of one vocabulary");
    }
}
