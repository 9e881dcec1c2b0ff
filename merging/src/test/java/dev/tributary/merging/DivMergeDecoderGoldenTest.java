package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.merging.method.Decay;
import dev.tributary.merging.method.DescentSettings;
import dev.tributary.merging.method.DivMerge;
import dev.tributary.merging.method.Divergence;
import dev.tributary.merging.method.Granularity;
import dev.tributary.merging.method.Solver;
import dev.tributary.merging.method.TaskArithmetic;
import dev.tributary.merging.method.Workers;
import dev.tributary.models.Batch;
import dev.tributary.models.RunningModel;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Progress;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// DivMerge on three small decoders, whose answers are distributions over the vocabulary at every
/// token, against torch: losses, gradients and 20 steps of Adam.
class DivMergeDecoderGoldenTest {
    private static final double LOSS = 2e-6;
    private static final double ADAM_LOSS = 1e-5;
    private static final double ADAM_COEFFICIENT = 5e-5;
    private static final int STEPS = 20;

    private final JsonNode inputs = Golden.json("divmerge_qwen2/inputs.json");
    private final Golden.Tensors expected = Golden.tensors("divmerge_qwen2/expected.safetensors");
    private final List<Checkpoint> open = new ArrayList<>();
    private final Workers workers = Workers.create();

    private MergePlan plan;
    private RunningModel model;
    private TaskVectors vectors;
    private List<DivMergeTask> tasks;

    @BeforeEach
    void askTheExperts() {
        List<Member> members = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
            String name = "expert" + t;
            members.add(new Member(name, open(name), Digest.ofText(name), null, new TreeMap<>()));
        }
        plan = MergePlanner.plan(open("base"), members, new TaskArithmetic(0.3));
        model = RunningModel.open(plan.base());
        vectors = new TaskVectors(plan, model, workers);
        model.train(vectors.changedNames());
        tasks = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
            vectors.become(t);
            CalibrationInputs batch = new EveryToken(inputs.path("tasks").path(t));
            tasks.add(
                    new DivMergeTask(
                            "expert" + t,
                            null,
                            batch,
                            DescentBench.ask("expert" + t, model, null, batch, 0)));
        }
    }

    @AfterEach
    void close() {
        model.close();
        workers.close();
        open.forEach(Checkpoint::close);
    }

    private Checkpoint open(String name) {
        Checkpoint checkpoint = Checkpoint.open(Golden.path("divmerge_qwen2/" + name));
        open.add(checkpoint);
        return checkpoint;
    }

    @Test
    void theGroupsAreEmbeddingsLayersAndNorm() {
        assertThat(plan.groups())
                .hasSameSizeAs(
                        StreamSupport.stream(inputs.path("group_names").spliterator(), false)
                                .toList());
        for (SharedTensor tensor : plan.shared()) {
            assertThat(tensor.group())
                    .as(tensor.outputName())
                    .isEqualTo(inputs.path("group_of_param").path(tensor.outputName()).asInt(-1));
        }
    }

    @Test
    void theExpertsAnswerAsInTheReference() {
        for (int t = 0; t < 3; t++) {
            assertThat(tasks.get(t).teacher().values().toArray(ValueLayout.JAVA_FLOAT))
                    .containsExactly(expected.get("expert_logits." + t), within(2e-5f));
        }
    }

    @Test
    void theMergedModelAnswersAsInTheReference() {
        vectors.materialise(filled(0.3));
        for (int t = 0; t < 3; t++) {
            DivMergeTask task = tasks.get(t);
            assertThat(
                            DescentBench.ask(task.name(), model, null, task.inputs(), 0)
                                    .values()
                                    .toArray(ValueLayout.JAVA_FLOAT))
                    .containsExactly(expected.get("merged_logits." + t), within(2e-5f));
        }
    }

    @ParameterizedTest
    @CsvSource({"JS, 1000000000, 1, 1", "KL, 1000000000, 1, 1", "JS, 150000, 2, 4", "KL, 1, 5, 5"})
    void lossesAndGradientsAreThoseOfTheReferenceAlsoInParts(
            Divergence divergence, long bytes, int least, int most) {
        String kind = divergence.id();
        int groups = plan.groups().size();
        double[][] gamma = filled(0.3);
        DivMergeObjective objective =
                new DivMergeObjective(model, vectors, tasks, divergence, bytes);
        List<int[]> parts = model.parts(tasks.getFirst().inputs(), allItems().getFirst(), bytes);
        assertThat(parts).hasSizeBetween(least, most);

        double[] losses = objective.losses(gamma);
        assertThat(losses)
                .containsExactly(doubles(expected.get(kind + ".task_losses")), within(LOSS));
        assertThat(Objective.mean(losses)).isCloseTo(expected.get(kind + ".loss")[0], within(LOSS));

        double[][] gradient = filled(0);
        double[] stepLosses = objective.step(gamma, allItems(), gradient);
        assertThat(stepLosses).containsExactly(losses, within(1e-6));
        float[] wanted = expected.get(kind + ".grad_gamma");
        for (int t = 0; t < 3; t++) {
            assertThat(gradient[t])
                    .containsExactly(
                            doubles(Arrays.copyOfRange(wanted, groups * t, groups * (t + 1))),
                            within(LOSS));
        }
    }

    @ParameterizedTest
    @EnumSource(Divergence.class)
    void twentyStepsOfAdamAreThoseOfTheReference(Divergence divergence) {
        DivMerge method =
                new DivMerge(
                        new DescentSettings(
                                Granularity.LAYER,
                                0.01,
                                Decay.NONE,
                                5,
                                STEPS,
                                0,
                                5,
                                1,
                                1000,
                                0,
                                1,
                                1),
                        divergence,
                        Solver.ADAM,
                        0);
        Coefficients start =
                Coefficients.uniform(Granularity.LAYER, plan.tasks(), plan.groups(), 0.3);
        DivMergeResult result =
                new Descent(
                                objective(divergence),
                                method,
                                tasks,
                                start,
                                Pace.whole(method.descent()),
                                Progress.SILENT)
                        .run();

        assertThat(result.history().stream().mapToDouble(LossPoint::loss).toArray())
                .containsExactly(
                        doubles(expected.get(divergence.id() + ".adam.losses")), within(ADAM_LOSS));
        int all = 3 * plan.groups().size();
        float[] gammas = expected.get(divergence.id() + ".adam.gammas");
        assertThat(result.coefficients().toArray())
                .containsExactly(
                        doubles(Arrays.copyOfRange(gammas, STEPS * all, (STEPS + 1) * all)),
                        within(ADAM_COEFFICIENT));
    }

    private DivMergeObjective objective(Divergence divergence) {
        return new DivMergeObjective(model, vectors, tasks, divergence);
    }

    private double[][] filled(double value) {
        double[][] table = new double[3][plan.groups().size()];
        for (double[] row : table) {
            Arrays.fill(row, value);
        }
        return table;
    }

    private static List<int[]> allItems() {
        int[] all = {0, 1, 2, 3, 4};
        return List.of(all, all.clone(), all.clone());
    }

    private static double[] doubles(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    /// Asked at every token of every sample, padding excepted; each token counts alike, as in the
    /// reference, so a sample counts as much as it is long.
    private static final class EveryToken implements CalibrationInputs {
        private final List<long[]> ids = new ArrayList<>();
        private final List<long[]> mask = new ArrayList<>();

        EveryToken(JsonNode task) {
            task.path("input_ids").forEach(row -> ids.add(numbers(row)));
            task.path("attention_mask").forEach(row -> mask.add(numbers(row)));
        }

        private static long[] numbers(JsonNode row) {
            return StreamSupport.stream(row.spliterator(), false)
                    .mapToLong(JsonNode::asLong)
                    .toArray();
        }

        @Override
        public int size() {
            return ids.size();
        }

        @Override
        public int length(int item) {
            return ids.getFirst().length;
        }

        @Override
        public int answers(int item) {
            return (int) Arrays.stream(mask.get(item)).sum();
        }

        @Override
        public int firstAnswer(int item) {
            return IntStream.range(0, item).map(this::answers).sum();
        }

        @Override
        public double weight(int item) {
            return answers(item);
        }

        @Override
        public Batch batch(int... items) {
            int length = ids.getFirst().length;
            long[] tokens = new long[items.length * length];
            long[] seen = new long[tokens.length];
            for (int row = 0; row < items.length; row++) {
                System.arraycopy(ids.get(items[row]), 0, tokens, row * length, length);
                System.arraycopy(mask.get(items[row]), 0, seen, row * length, length);
            }
            int[] asked = IntStream.range(0, seen.length).filter(i -> seen[i] != 0).toArray();
            return new Batch(items.length, length, tokens, seen, new long[tokens.length]).at(asked);
        }

        @Override
        public List<int[]> byLength(int rows) {
            return List.of(new int[] {3, 1}, new int[] {0, 2, 4});
        }
    }
}
