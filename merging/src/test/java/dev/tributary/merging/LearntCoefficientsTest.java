package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.tensors.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Learning coefficients by other losses than DivMerge's, and of a part of the tensors.
class LearntCoefficientsTest {
    @TempDir private Path folder;

    private TinyPool pool;

    @BeforeEach
    void pool() {
        pool = new TinyPool(folder);
    }

    private MergeResult merge(String id, String target, Map<String, String> options) {
        Map<String, String> all = new HashMap<>(options);
        all.putIfAbsent("learning_rate", "0.02");
        all.putIfAbsent("max_steps", "20");
        all.put("evaluate_every", "5");
        all.put("calibration_items", "10");
        return PoolMerger.merge(
                pool.request(
                        MergeMethod.of(id, all), folder.resolve(target), "spam", "hedges", "nouns"),
                Progress.SILENT);
    }

    @Test
    void adaMergingMakesTheMergedModelSurer() {
        MergeResult result = merge("adamerging", "a", Map.of());
        DivMergeResult learnt = Objects.requireNonNull(result.learnt());
        assertThat(learnt.meanAfter()).isLessThan(learnt.meanBefore());
        assertThat(learnt.start().values()).containsOnly(0.3);
        assertThat(learnt.coefficients().values()).doesNotContain(0.3).hasSize(12);
        assertThat(learnt.history().getFirst().loss()).isLessThan(Math.log(4));
    }

    @Test
    void adaMergingHasOneCoefficientATaskAtTaskLevel() {
        MergeResult result = merge("adamerging", "a", Map.of("granularity", "task"));
        assertThat(Objects.requireNonNull(result.coefficients()).values()).hasSize(3);
    }

    @Test
    void adaMergingHasOneCoefficientATaskAndTensorAsTheOfficialCode() {
        MergeResult result = merge("adamerging", "a", Map.of("granularity", "tensor"));
        DivMergeResult learnt = Objects.requireNonNull(result.learnt());
        int tensors = Golden.tensors(folder.resolve("a/model.safetensors")).byName().size();
        assertThat(learnt.coefficients().values()).hasSize(3 * tensors);
        assertThat(learnt.meanAfter()).isLessThan(learnt.meanBefore());
    }

    @Test
    void adaMergingsCoefficientsStayBetweenNoneAndAllUnlessTheyNeedNot() {
        Map<String, String> far = Map.of("learning_rate", "0.5", "init", "0.9");
        assertThat(coefficients(merge("adamerging", "a", far)))
                .allMatch(value -> value >= 0 && value <= 1);
        Map<String, String> free = new HashMap<>(far);
        free.put("clamp", "false");
        assertThat(coefficients(merge("adamerging", "b", free)))
                .anyMatch(value -> value < 0 || value > 1);
    }

    private static List<Double> coefficients(MergeResult result) {
        return Objects.requireNonNull(result.coefficients()).values();
    }

    @Test
    void adaMergingAsksNoExpert() throws IOException {
        merge("adamerging", "a", Map.of());
        assertThat(folder.resolve("cache/teachers")).doesNotExist();
        assertThat(Files.readString(folder.resolve("a/README.md")))
                .contains("Mean entropy of the merged model's answers on their calibration inputs");
    }

    /// What is left out of a merge is still part of each expert when it is asked.
    @Test
    void anExpertAnswersWithAllItsWeightsAlsoWhereAPartOfThemIsMerged() throws IOException {
        merge("divmerge", "a", Map.of("exclude", "*layer.1*, *embeddings*"));
        Map<String, byte[]> part = answers();
        for (Path file : files()) {
            Files.delete(file);
        }
        merge("divmerge", "b", Map.of());
        Map<String, byte[]> whole = answers();
        assertThat(part).hasSize(3);
        assertThat(whole.keySet()).isEqualTo(part.keySet());
        whole.forEach((name, bytes) ->
                assertThat(Arrays.equals(bytes, part.get(name))).as(name).isTrue());
    }

    private Map<String, byte[]> answers() throws IOException {
        Map<String, byte[]> answers = new HashMap<>();
        for (Path file : files()) {
            answers.put(file.toString(), Files.readAllBytes(file));
        }
        return answers;
    }

    private List<Path> files() throws IOException {
        try (var list = Files.list(folder.resolve("cache/teachers"))) {
            return list.toList();
        }
    }
}
