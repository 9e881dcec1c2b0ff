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
import dev.tributary.merging.method.Workers;
import dev.tributary.models.Batch;
import dev.tributary.models.CalibrationSet;
import dev.tributary.models.Example;
import dev.tributary.models.RunningModel;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Progress;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// DivMerge on three BERT classifiers of different label counts against torch: losses, gradients
/// and 20 steps of Adam.
class DivMergeGoldenTest {
    private static final double LOSS = 2e-6;
    private static final double ADAM_LOSS = 1e-5;
    private static final double ADAM_COEFFICIENT = 5e-5;
    private static final int STEPS = 20;

    private final JsonNode inputs = Golden.json("divmerge_bert/inputs.json");
    private final JsonNode orders = Golden.json("divmerge_bert/expected.json");
    private final Golden.Tensors expected = Golden.tensors("divmerge_bert/expected.safetensors");
    private final List<Checkpoint> open = new ArrayList<>();
    private final Workers workers = Workers.create();

    private MergePlan plan;
    private RunningModel model;
    private Heads heads;
    private TaskVectors vectors;
    private List<DivMergeTask> tasks;

    @BeforeEach
    void askTheExperts() {
        plan = plan(Granularity.LAYER);
        model = RunningModel.open(plan.base());
        heads = Heads.open(model, plan);
        vectors = new TaskVectors(plan, model, workers);
        model.train(vectors.changedNames());
        tasks = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
            vectors.become(t);
            String name = "expert" + t;
            CalibrationInputs batch = calibration(inputs.path("tasks").path(t));
            tasks.add(
                    new DivMergeTask(
                            name,
                            heads.of(name),
                            batch,
                            DescentBench.ask(name, model, heads.of(name), batch, 0)));
        }
    }

    @AfterEach
    void close() {
        heads.close();
        model.close();
        workers.close();
        open.forEach(Checkpoint::close);
    }

    @Test
    void theGroupsAreEmbeddingsLayersAndPooler() {
        assertThat(plan.groups())
                .isEqualTo(
                        StreamSupport.stream(inputs.path("group_names").spliterator(), false)
                                .map(JsonNode::asText)
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
                            DescentBench.ask(task.name(), model, task.head(), task.inputs(), 0)
                                    .values()
                                    .toArray(ValueLayout.JAVA_FLOAT))
                    .containsExactly(expected.get("merged_logits." + t), within(2e-5f));
        }
    }

    @ParameterizedTest
    @EnumSource(Divergence.class)
    void lossesAndGradientsAreThoseOfTheReference(Divergence divergence) {
        String kind = divergence.id();
        double[][] gamma = filled(0.3);
        DivMergeObjective objective = objective(divergence);

        double[] losses = objective.losses(gamma);
        assertThat(losses)
                .containsExactly(doubles(expected.get(kind + ".task_losses")), within(LOSS));
        assertThat(Objective.mean(losses)).isCloseTo(expected.get(kind + ".loss")[0], within(LOSS));

        double[][] gradient = filled(0);
        double[] stepLosses = objective.step(gamma, allItems(), gradient);
        assertThat(stepLosses).containsExactly(losses, within(1e-7));
        float[] wanted = expected.get(kind + ".grad_gamma");
        for (int t = 0; t < 3; t++) {
            assertThat(gradient[t])
                    .containsExactly(
                            doubles(Arrays.copyOfRange(wanted, 4 * t, 4 * t + 4)), within(LOSS));
        }
    }

    /// Of which a group's is the sum.
    @ParameterizedTest
    @EnumSource(Divergence.class)
    void everyTensorsGradientIsThatOfTheReference(Divergence divergence) {
        MergePlan byTensor = plan(Granularity.TENSOR);
        JsonNode order = orders.path("tensor_order_of_grad_gamma_per_tensor");
        assertThat(byTensor.groups())
                .containsExactlyInAnyOrderElementsOf(
                        StreamSupport.stream(order.spliterator(), false)
                                .map(JsonNode::asText)
                                .toList());
        double[][] gamma = new double[3][order.size()];
        double[][] gradient = new double[3][order.size()];
        new CoefficientVector(uniform(byTensor, Granularity.TENSOR)).spread(gamma);
        new DivMergeObjective(model, new TaskVectors(byTensor, model, workers), tasks, divergence)
                .step(gamma, allItems(), gradient);
        float[] wanted = expected.get(divergence.id() + ".grad_gamma_per_tensor");
        for (int p = 0; p < order.size(); p++) {
            int group = byTensor.groups().indexOf(order.path(p).asText());
            for (int t = 0; t < 3; t++) {
                assertThat(gradient[t][group])
                        .as("task %d %s", t, order.path(p))
                        .isCloseTo(wanted[t * order.size() + p], within(LOSS));
            }
        }
    }

    @Test
    void tensorsAreGroupsInTheOrderOfTheirLayers() {
        MergePlan byTensor = plan(Granularity.TENSOR);
        assertThat(byTensor.groups().stream().map(byTensor.layerOfTensor()::get).distinct())
                .containsExactlyElementsOf(plan.groups());
        for (SharedTensor tensor : byTensor.shared()) {
            assertThat(byTensor.groups().get(tensor.group())).isEqualTo(tensor.outputName());
        }
    }

    @ParameterizedTest
    @EnumSource(Divergence.class)
    void twentyStepsOfAdamAreThoseOfTheReference(Divergence divergence) {
        DivMerge method = fullBatch(Granularity.LAYER, divergence);
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
        float[] gammas = expected.get(divergence.id() + ".adam.gammas");
        assertThat(result.coefficients().toArray())
                .containsExactly(
                        doubles(Arrays.copyOfRange(gammas, STEPS * 12, (STEPS + 1) * 12)),
                        within(ADAM_COEFFICIENT));
    }

    @Test
    void aTasksGradientIsTheSumOverItsGroups() {
        double[][] gradient = filled(0);
        objective(Divergence.JS).step(filled(0.3), allItems(), gradient);
        double[] byTask = new double[3];
        new CoefficientVector(
                        Coefficients.uniform(Granularity.TASK, plan.tasks(), plan.groups(), 0.3))
                .collect(gradient, byTask);
        assertThat(byTask)
                .containsExactly(
                        Arrays.stream(gradient).mapToDouble(g -> Arrays.stream(g).sum()).toArray(),
                        within(1e-12));

        double h = 1e-2;
        for (int t = 0; t < 3; t++) {
            double[][] more = filled(0.3);
            double[][] less = filled(0.3);
            Arrays.fill(more[t], 0.3 + h);
            Arrays.fill(less[t], 0.3 - h);
            double slope =
                    (Objective.mean(objective(Divergence.JS).losses(more))
                                    - Objective.mean(objective(Divergence.JS).losses(less)))
                            / (2 * h);
            assertThat(byTask[t]).isCloseTo(slope, within(2e-5 + 1e-2 * Math.abs(slope)));
        }
    }

    @ParameterizedTest
    @EnumSource(Granularity.class)
    void coefficientsOfAnyGranularityLowerTheLoss(Granularity granularity) {
        MergePlan planned = plan(granularity);
        DivMergeResult result =
                new Descent(
                                new DivMergeObjective(
                                        model,
                                        new TaskVectors(planned, model, workers),
                                        tasks,
                                        Divergence.JS),
                                fullBatch(granularity, Divergence.JS),
                                tasks,
                                uniform(planned, granularity),
                                Pace.whole(fullBatch(granularity, Divergence.JS).descent()),
                                Progress.SILENT)
                        .run();
        int each = granularity == Granularity.TASK ? 1 : planned.groups().size();
        assertThat(result.coefficients().values()).hasSize(3 * each);
        assertThat(result.meanAfter()).isLessThan(result.meanBefore());
    }

    private static Coefficients uniform(MergePlan plan, Granularity granularity) {
        return Coefficients.uniform(granularity, plan.tasks(), plan.groups(), 0.3);
    }

    @Test
    void aWholeExpertAloneHasLossZero() {
        double[][] one = filled(0);
        Arrays.fill(one[1], 1.0);
        assertThat(objective(Divergence.JS).losses(one)[1]).isCloseTo(0, within(1e-10));
        assertThat(objective(Divergence.KL).losses(one)[1]).isCloseTo(0, within(1e-10));
    }

    @Test
    void jensenShannonNeverExceedsLogTwo() {
        for (double loss : objective(Divergence.JS).losses(filled(40))) {
            assertThat(loss).isBetween(0.0, Math.log(2));
        }
    }

    /// Only the order of sums changes with the experts' names, by which a plan sorts them.
    @Test
    void theLossDoesNotDependOnTheOrderOfTheTasks() {
        MergePlan other = plan(Granularity.LAYER, List.of("z", "a", "m"));
        int[] order = {1, 2, 0};
        double[][] gamma = filled(0);
        for (int t = 0; t < 3; t++) {
            for (int g = 0; g < 4; g++) {
                gamma[t][g] = 0.1 * (t + 1) + 0.05 * g;
            }
        }
        double[] losses = objective(Divergence.JS).losses(gamma);
        double[] inOrder =
                new DivMergeObjective(
                                model,
                                new TaskVectors(other, model, workers),
                                Arrays.stream(order).mapToObj(tasks::get).toList(),
                                Divergence.JS)
                        .losses(
                                Arrays.stream(order)
                                        .mapToObj(t -> gamma[t])
                                        .toArray(double[][]::new));
        assertThat(other.tasks()).containsExactly("a", "m", "z");
        assertThat(inOrder)
                .containsExactly(
                        Arrays.stream(order).mapToDouble(t -> losses[t]).toArray(), within(1e-6));
        assertThat(losses[0]).isNotCloseTo(losses[1], within(1e-4));
    }

    private static DivMerge fullBatch(Granularity granularity, Divergence divergence) {
        return new DivMerge(
                new DescentSettings(
                        granularity, 0.01, Decay.NONE, 5, STEPS, 0, 5, 1, 1000, 0, 1, 1),
                divergence,
                Solver.ADAM,
                0);
    }

    private DivMergeObjective objective(Divergence divergence) {
        return new DivMergeObjective(model, vectors, tasks, divergence);
    }

    private MergePlan plan(Granularity granularity) {
        return plan(granularity, List.of("expert0", "expert1", "expert2"));
    }

    private MergePlan plan(Granularity granularity, List<String> names) {
        List<Member> members = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
            members.add(
                    new Member(
                            names.get(t),
                            open("expert" + t),
                            Digest.ofText("expert" + t),
                            new CalibrationSet(
                                    names.get(t),
                                    24,
                                    List.of(new Example("ids come with the fixture", null, null)),
                                    List.of(),
                                    null,
                                    Digest.ofText("calibration"))));
        }
        return MergePlanner.plan(open("base"), members, fullBatch(granularity, Divergence.JS));
    }

    private Checkpoint open(String name) {
        Checkpoint checkpoint = Checkpoint.open(Golden.path("divmerge_bert/" + name));
        open.add(checkpoint);
        return checkpoint;
    }

    private static double[][] filled(double value) {
        double[][] table = new double[3][4];
        for (double[] row : table) {
            Arrays.fill(row, value);
        }
        return table;
    }

    private static List<int[]> allItems() {
        return List.of(
                new int[] {0, 1, 2, 3, 4}, new int[] {0, 1, 2, 3, 4}, new int[] {0, 1, 2, 3, 4});
    }

    private static double[] doubles(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }

    private static CalibrationInputs calibration(JsonNode task) {
        long[][] ids = rows(task.path("input_ids"));
        long[][] mask = rows(task.path("attention_mask"));
        long[][] types = rows(task.path("token_type_ids"));
        return new CalibrationInputs() {
            @Override
            public int size() {
                return ids.length;
            }

            @Override
            public int length(int item) {
                return ids[0].length;
            }

            @Override
            public Batch batch(int... items) {
                return new Batch(
                        items.length,
                        ids[0].length,
                        flat(ids, items),
                        flat(mask, items),
                        flat(types, items));
            }

            @Override
            public List<int[]> byLength(int rows) {
                return List.of(new int[] {3, 1}, new int[] {0, 2, 4});
            }
        };
    }

    private static long[][] rows(JsonNode node) {
        return StreamSupport.stream(node.spliterator(), false)
                .map(row ->
                        StreamSupport.stream(row.spliterator(), false)
                                .mapToLong(JsonNode::asLong)
                                .toArray())
                .toArray(long[][]::new);
    }

    private static long[] flat(long[][] rows, int[] items) {
        return Arrays.stream(items).mapToObj(i -> rows[i]).flatMapToLong(Arrays::stream).toArray();
    }
}
