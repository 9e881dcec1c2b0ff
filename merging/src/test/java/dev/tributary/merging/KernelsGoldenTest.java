package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Progress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// The methods against values computed in float64 by an independent program.
class KernelsGoldenTest {
    private static final double TOLERANCE = 2e-6;
    private static final List<List<Long>> SHAPES =
            List.of(List.of(10L, 20L), List.of(7L, 9L), List.of(11L));

    private final Golden.Tensors models = Golden.tensors("kernels/models.safetensors");
    private final Golden.Tensors stock = Golden.tensors("kernels/stock_experts.safetensors");
    private final Golden.Tensors expected = Golden.tensors("kernels/expected.safetensors");

    @TempDir private Path folder;

    @TestFactory
    Stream<DynamicTest> mergedTensorsAreThoseOfTheReference() {
        return StreamSupport.stream(
                        Golden.json("kernels/kernels.json").path("cases").spliterator(), false)
                .filter(c -> !method(c).equals("regmean"))
                .map(c -> DynamicTest.dynamicTest(c.path("case").asText(), () -> check(c)));
    }

    private void check(JsonNode golden) {
        Path work = folder.resolve(golden.path("case").asText());
        int tensors = golden.path("outputs").size();
        try (Checkpoint base =
                checkpoint(tensors, j -> models.get("base." + j)).open(work.resolve("base"))) {
            List<Member> members = members(golden, tensors, work);
            MergePlan plan = MergePlanner.plan(base, members, read(golden));
            Path merged = work.resolve("merged.safetensors");
            MergeExecutor.execute(plan, null, merged, new TreeMap<>(), Progress.SILENT);
            Golden.Tensors values = Golden.tensors(merged);
            for (int j = 0; j < tensors; j++) {
                assertThat(values.get("tensor." + j))
                        .as("tensor %d", j)
                        .containsExactly(
                                expected.get(golden.path("outputs").path(j).asText()),
                                within((float) TOLERANCE));
            }
            members.forEach(m -> m.expert().close());
        }
    }

    private List<Member> members(JsonNode golden, int tensors, Path work) {
        List<Member> members = new ArrayList<>();
        switch (method(golden)) {
            case "slerp" -> {
                double t = golden.path("t").asDouble();
                for (int m = 0; m < 2; m++) {
                    String of = golden.path("of").path(m).asText();
                    members.add(
                            checkpoint(tensors, j -> endpoint(of, j))
                                    .member(
                                            work.resolve("end" + m),
                                            "end" + m,
                                            m == 0 ? 1 - t : t,
                                            null));
                }
            }
            case "model_stock" -> {
                for (int m = 0; m < golden.path("k").asInt(); m++) {
                    String name = "expert" + m;
                    members.add(
                            checkpoint(tensors, j -> stock.get("stock_" + name + "." + j))
                                    .member(work.resolve(name), name));
                }
            }
            default -> {
                for (int m = 0; m < 3; m++) {
                    String name = "expert" + m;
                    members.add(
                            checkpoint(tensors, j -> models.get(name + "." + j))
                                    .member(
                                            work.resolve(name),
                                            name,
                                            golden.path("weights").path(m).asDouble(),
                                            null));
                }
            }
        }
        return members;
    }

    private float[] endpoint(String name, int tensor) {
        if (name.startsWith("expert")) {
            return models.get(name + "." + tensor);
        }
        return name.startsWith("base") ? models.get(name) : expected.get(name);
    }

    private static String method(JsonNode golden) {
        return golden.path("method").asText();
    }

    private static MergeMethod read(JsonNode golden) {
        Map<String, String> options = new TreeMap<>();
        switch (method(golden)) {
            case "ties" -> {
                options.put("density", golden.path("density").asText());
                options.put("lambda", golden.path("lambda").asText());
                options.put("trim", golden.path("trim").asText());
            }
            case "task_arithmetic" -> options.put("lambda", golden.path("lambda").asText());
            case "model_stock" -> {
                if (golden.path("angle").asText().startsWith("cosine of")) {
                    options.put("angle", "mean_angle");
                }
            }
            default -> {}
        }
        return MergeMethod.of(method(golden), options);
    }

    private interface Values {
        float[] of(int tensor);
    }

    private static TinyCheckpoint checkpoint(int tensors, Values values) {
        TinyCheckpoint checkpoint = new TinyCheckpoint();
        for (int j = 0; j < tensors; j++) {
            checkpoint.with("tensor." + j, Dtype.F32, SHAPES.get(j), values.of(j));
        }
        return checkpoint;
    }
}
