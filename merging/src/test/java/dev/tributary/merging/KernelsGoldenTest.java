package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.TaskArithmetic;
import dev.tributary.merging.method.Ties;
import dev.tributary.merging.method.TrimScope;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Progress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// Task arithmetic and TIES against values computed in float64 by an independent program.
class KernelsGoldenTest {
    private static final double TOLERANCE = 2e-6;
    private static final List<List<Long>> SHAPES =
            List.of(List.of(10L, 20L), List.of(7L, 9L), List.of(11L));

    @TempDir private Path folder;

    @TestFactory
    Stream<DynamicTest> mergedTensorsAreThoseOfTheReference() {
        Golden.Tensors models = Golden.tensors("kernels/models.safetensors");
        Golden.Tensors expected = Golden.tensors("kernels/expected.safetensors");
        return StreamSupport.stream(
                        Golden.json("kernels/kernels.json").path("cases").spliterator(), false)
                .filter(c -> List.of("ties", "task_arithmetic").contains(method(c)))
                .map(c ->
                        DynamicTest.dynamicTest(
                                c.path("case").asText(), () -> check(c, models, expected)));
    }

    private void check(JsonNode golden, Golden.Tensors models, Golden.Tensors expected) {
        Path work = folder.resolve(golden.path("case").asText());
        try (Checkpoint base = checkpoint(models, "base").open(work.resolve("base"))) {
            List<Member> members = new ArrayList<>();
            for (int t = 0; t < 3; t++) {
                String name = "expert" + t;
                members.add(
                        checkpoint(models, name)
                                .member(
                                        work.resolve(name),
                                        name,
                                        golden.path("weights").path(t).asDouble(),
                                        null));
            }
            MergePlan plan = MergePlanner.plan(base, members, read(golden));
            Path merged = work.resolve("merged.safetensors");
            MergeExecutor.execute(plan, null, merged, new TreeMap<>(), Progress.SILENT);
            Golden.Tensors values = Golden.tensors(merged);
            for (int j = 0; j < SHAPES.size(); j++) {
                assertThat(values.get("tensor." + j))
                        .as("tensor %d", j)
                        .containsExactly(
                                expected.get(golden.path("outputs").path(j).asText()),
                                within((float) TOLERANCE));
            }
            members.forEach(m -> m.expert().close());
        }
    }

    private static String method(JsonNode golden) {
        return golden.path("method").asText();
    }

    private static MergeMethod read(JsonNode golden) {
        double lambda = golden.path("lambda").asDouble();
        return method(golden).equals("ties")
                ? new Ties(
                        golden.path("density").asDouble(),
                        lambda,
                        golden.path("trim").asText().equals("global")
                                ? TrimScope.GLOBAL
                                : TrimScope.PER_TENSOR)
                : new TaskArithmetic(lambda);
    }

    private static TinyCheckpoint checkpoint(Golden.Tensors models, String name) {
        TinyCheckpoint checkpoint = new TinyCheckpoint();
        for (int j = 0; j < SHAPES.size(); j++) {
            checkpoint.with("tensor." + j, Dtype.F32, SHAPES.get(j), models.get(name + "." + j));
        }
        return checkpoint;
    }
}
