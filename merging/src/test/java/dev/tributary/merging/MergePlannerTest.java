package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tributary.merging.method.DivMerge;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.TaskArithmetic;
import dev.tributary.merging.method.Ties;
import dev.tributary.merging.method.TrimScope;
import dev.tributary.merging.method.WeightAveraging;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MergePlannerTest {
    private static final MergeMethod SUM = new TaskArithmetic(0.3);

    private final List<Checkpoint> open = new ArrayList<>();

    @TempDir private Path folder;

    @AfterEach
    void close() {
        open.forEach(Checkpoint::close);
    }

    @Test
    void everyFaultOfEveryExpertIsListedAtOnce() {
        TinyCheckpoint base =
                new TinyCheckpoint()
                        .with("a", 1, 2, 3)
                        .with("b", 1, 2)
                        .with("ids", Dtype.I64, List.of(1L), 4);
        Member shape =
                TinyCheckpoint.of("a", 1, 2)
                        .with("b", 1, 2)
                        .with("ids", Dtype.I64, List.of(1L), 4)
                        .config("{\"model_type\": \"arrows\", \"hidden_size\": 5}")
                        .member(folder.resolve("1"), "shape");
        Member missing =
                TinyCheckpoint.of("a", 1, 2, 3)
                        .with("extra", 1)
                        .with("ids", Dtype.I32, List.of(1L), 4)
                        .member(folder.resolve("2"), "missing");
        assertThat(faults(base, SUM, missing, shape))
                .containsExactlyInAnyOrder(
                        "[shape config.json] hidden_size is 5, expected 4 as in the base: tuned from"
                                + " another model?",
                        "[shape a] has shape [2], expected [3] as in the base",
                        "[missing b] is not in the expert, expected shape [2] as in the base",
                        "[missing ids] is I32, expected I64 as in the base",
                        "[missing extra] is not in the base: the heads of this architecture are not"
                                + " known here, so the experts' tensors must be exactly the"
                                + " base's");
    }

    @Test
    void membersAreOnePerTaskWithNamesForFolders() {
        TinyCheckpoint base = TinyCheckpoint.of("a", 1);
        assertThat(
                        faults(
                                base,
                                SUM,
                                base.member(folder.resolve("1"), "spam"),
                                base.member(folder.resolve("2"), "spam"),
                                base.member(folder.resolve("3"), "../elsewhere")))
                .containsExactlyInAnyOrder(
                        "[spam] two members have this task, expected one expert a task",
                        "[../elsewhere] is no name for a folder, expected letters, digits, '.', '_'"
                                + " and '-'");
        assertThat(faults(base, SUM))
                .containsExactly("[members] there are none, expected at least one");
    }

    /// What other tools merge without a word, or into NaNs.
    @Test
    void whatDoesNotFitIsNamedWithModelAndTensor() {
        TinyCheckpoint base =
                new TinyCheckpoint()
                        .config("{\"model_type\": \"arrows\", \"num_hidden_layers\": 2}")
                        .with("model.embed_tokens.weight", Dtype.F32, List.of(3L, 2L), new float[6])
                        .with("model.layers.0.up.weight", Dtype.F32, List.of(2L, 3L), new float[6]);
        TinyCheckpoint cut =
                new TinyCheckpoint()
                        .config("{\"model_type\": \"arrows\", \"num_hidden_layers\": 3}")
                        .with("model.embed_tokens.weight", Dtype.F32, List.of(2L, 2L), new float[4])
                        .with("model.layers.0.up.weight", Dtype.F32, List.of(3L, 2L), new float[6])
                        .with("classifier.weight", 1, 2);
        TinyCheckpoint empty =
                new TinyCheckpoint()
                        .config("{\"model_type\": \"arrows\", \"num_hidden_layers\": 2}")
                        .with(
                                "model.embed_tokens.weight",
                                Dtype.F32,
                                List.of(3L, 2L),
                                new float[6]);
        assertThat(
                        faults(
                                base,
                                SUM,
                                cut.member(folder.resolve("cut"), "cut"),
                                empty.member(folder.resolve("empty"), "empty")))
                .containsExactlyInAnyOrder(
                        "[cut config.json] num_hidden_layers is 3, expected 2 as in the base: tuned"
                                + " from another model?",
                        "[cut model.embed_tokens.weight] has 2 vocabulary rows, the base 3, and no"
                                + " tokenizer.json, vocab.json or vocab.txt beside it says which"
                                + " tokens they are: put it there, then align rows by token with"
                                + " tokenizer_source (base, union or a model of the recipe)",
                        "[cut model.layers.0.up.weight] has shape [3, 2], expected [2, 3] as in the"
                                + " base",
                        "[empty model.layers.0.up.weight] is not in the expert, expected shape"
                                + " [2, 3] as in the base",
                        "[cut classifier.weight] is not in the base: the heads of this architecture"
                                + " are not known here, so the experts' tensors must be exactly the"
                                + " base's");
    }

    @Test
    void aMethodForTwoModelsTakesNoThird() {
        TinyCheckpoint base = TinyCheckpoint.of("a", 1);
        assertThat(
                        faults(
                                base,
                                MergeMethod.of("slerp", Map.of()),
                                base.member(folder.resolve("1"), "x"),
                                base.member(folder.resolve("2"), "y"),
                                base.member(folder.resolve("3"), "z")))
                .containsExactly(
                        "[members] there are 3, but slerp takes 2 at most: use a method for more,"
                                + " such as multislerp");
    }

    @Test
    void aGlobalTrimHasOneDensityForAllTensors() {
        TinyCheckpoint base = TinyCheckpoint.of("a.mlp", 1).with("b", 1);
        String density = "[{\"filter\": \"mlp\", \"value\": 0.5}, {\"value\": 1}]";
        assertThat(
                        faults(
                                base,
                                MergeMethod.of("ties", Map.of("density", density)),
                                base.member(folder.resolve("1"), "x")))
                .containsExactly(
                        "[density] differs between tensors, expected one for all with trim global,"
                                + " or trim per_tensor");
    }

    @Test
    void chancesOutsideOfTheirBoundsAreRefused() {
        TinyCheckpoint base = TinyCheckpoint.of("a", 1);
        assertThat(
                        faults(
                                base,
                                MergeMethod.of("della", Map.of("density", "0.1")),
                                base.member(folder.resolve("1"), "x")))
                .containsExactly(
                        "[x a] density 0.1 with epsilon 0.15 leaves chances outside of (0, 1)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"weight_averaging", "multislerp"})
    void aMeanOfWeightsThatCancelIsRefused(String method) {
        TinyCheckpoint base = TinyCheckpoint.of("a", 1);
        assertThat(
                        faults(
                                base,
                                MergeMethod.of(method, Map.of()),
                                base.member(folder.resolve("1"), "x", 1, null),
                                base.member(folder.resolve("2"), "y", -1, null)))
                .containsExactly(
                        "[weight] the members' weights add up to 0, so there is no mean of them");
    }

    /// What the families call it.
    @ParameterizedTest
    @CsvSource({
        "n_layers, 2, 3",
        "num_decoder_layers, 2, 3",
        "num_heads, 16, 8",
        "d_kv, 32, 64",
        "model_type, 'arrows', 'bows'",
    })
    void anExpertOfAnotherBuildIsNamedWhateverItsShapes(
            String key, String ofBase, String ofExpert) {
        TinyCheckpoint base = TinyCheckpoint.of("a", 1).config(config(key, ofBase));
        TinyCheckpoint expert = TinyCheckpoint.of("a", 1).config(config(key, ofExpert));
        assertThat(faults(base, SUM, expert.member(folder.resolve("1"), "x")))
                .containsExactly(
                        "[x config.json] %s is %s, expected %s as in the base: tuned from another model?"
                                .formatted(key, json(ofExpert), json(ofBase)));
    }

    @Test
    void aTowerOfAnotherBuildIsNamed() {
        assertThat(
                        compared(
                                "{\"vision_config\": {\"num_attention_heads\": 4}}",
                                "{\"vision_config\": {\"num_attention_heads\": 8}}"))
                .containsExactly(
                        "[x config.json] vision_config.num_attention_heads is 8, expected 4 as in the"
                                + " base: tuned from another model?");
    }

    @Test
    void versionsOfTransformersSayTheSameInOtherWords() {
        assertThat(
                        compared(
                                "{\"rope_theta\": 10000.0, \"rope_scaling\": null}",
                                "{\"rope_parameters\": {\"rope_theta\": 10000, \"rope_type\":"
                                        + " \"default\"}}"))
                .isEmpty();
        assertThat(
                        compared(
                                "{\"model_type\": \"t5\", \"tie_word_embeddings\": false}",
                                "{\"model_type\": \"t5\", \"tie_word_embeddings\": true}"))
                .isEmpty();
    }

    @Test
    void positionsThatTurnOtherwiseAreNamedWhicheverVersionWroteThem() {
        assertThat(
                        compared(
                                "{\"rope_theta\": 10000.0, \"rope_scaling\": null}",
                                "{\"rope_parameters\": {\"rope_theta\": 5, \"rope_type\": \"yarn\","
                                        + " \"factor\": 4}}"))
                .containsExactly(
                        "[x config.json] rope_theta is 5, expected 10000.0 as in the base: tuned from"
                                + " another model?",
                        "[x config.json] rope_type is \"yarn\", expected \"default\" as in the base:"
                                + " tuned from another model?");
    }

    private List<String> compared(String ofBase, String ofExpert) {
        Checkpoint base =
                opened(
                        TinyCheckpoint.of("a", 1)
                                .config(ofBase)
                                .open(folder.resolve("compared-" + open.size())));
        Member expert =
                TinyCheckpoint.of("a", 1)
                        .config(ofExpert)
                        .member(folder.resolve("compared-" + open.size()), "x");
        open.add(expert.expert());
        return ConfigComparison.faults(base.config(), expert, true).stream()
                .map(Fault::toString)
                .toList();
    }

    private static String config(String key, String value) {
        String type = key.equals("model_type") ? "" : "\"model_type\": \"arrows\", ";
        return "{%s\"%s\": %s}".formatted(type, key, json(value));
    }

    private static String json(String value) {
        return Character.isDigit(value.charAt(0)) ? value : "\"%s\"".formatted(value);
    }

    @Test
    void divMergeNeedsAnArchitectureItCanRunAndInputsToLearnFrom() {
        TinyCheckpoint base = TinyCheckpoint.of("a", 1);
        assertThat(faults(base, DivMerge.defaults(), base.member(folder.resolve("1"), "x")))
                .anyMatch(f -> f.contains("model_type is 'arrows'"))
                .contains("[x] has no calibration inputs, and divmerge learns from them");
    }

    @Test
    void headsStayWithTheirTasksAndTrunksAreMatchedWhateverTheirPrefix() {
        Checkpoint base = golden("base");
        MergePlan plan =
                MergePlanner.plan(base, List.of(bert("b", "expert1"), bert("a", "expert0")), SUM);
        assertThat(plan.tasks()).containsExactly("a", "b");
        assertThat(plan.shared()).hasSize(39);
        assertThat(plan.shared())
                .allMatch(tensor -> tensor.outputName().equals("bert." + tensor.name()));
        assertThat(plan.taskTensors().get("a"))
                .extracting(TaskTensor::outputName)
                .containsExactly("classifier.bias", "classifier.weight");
        assertThat(plan.taskTensors().get("b"))
                .filteredOn(t -> t.name().equals("classifier.weight"))
                .singleElement()
                .extracting(TaskTensor::shape)
                .isEqualTo(List.of(2L, 32L));
    }

    @Test
    void anUnknownArchitectureIsMatchedByExactNames() {
        TinyCheckpoint base = TinyCheckpoint.of("tower.w", 1, 2);
        MergePlan plan =
                MergePlanner.plan(
                        opened(base.open(folder.resolve("base"))),
                        List.of(base.member(folder.resolve("1"), "x")),
                        SUM);
        assertThat(plan.architecture()).isEmpty();
        assertThat(plan.groups()).containsExactly("all");
        assertThat(plan.shared()).extracting(SharedTensor::outputName).containsExactly("tower.w");
    }

    @Test
    void theCostIsCountedFromTheHeaders() {
        TinyCheckpoint base =
                new TinyCheckpoint().with("w", Dtype.BF16, List.of(1000L), new float[1000]);
        Checkpoint opened = opened(base.open(folder.resolve("base")));
        List<Member> members =
                List.of(
                        base.member(folder.resolve("1"), "x"),
                        base.member(folder.resolve("2"), "y"));
        MergePlan sum = MergePlanner.plan(opened, members, SUM);
        assertThat(sum.bytesToRead()).isEqualTo(6000);
        assertThat(sum.bytesToWrite()).isEqualTo(2000);
        assertThat(MergePlanner.plan(opened, members, SUM, Dtype.F32).bytesToWrite())
                .isEqualTo(4000);
        MergePlan average = MergePlanner.plan(opened, members, new WeightAveraging());
        assertThat(average.bytesToRead()).isEqualTo(4000);
        MergePlan ties = MergePlanner.plan(opened, members, new Ties(0.2, 1, TrimScope.GLOBAL));
        assertThat(ties.bytesToRead()).isGreaterThan(sum.bytesToRead());
        assertThat(sum.peakBytes()).isPositive().isLessThan(16 << 20);
    }

    private Member bert(String task, String name) {
        return new Member(task, golden(name), Digest.ofText(name), null);
    }

    private Checkpoint golden(String name) {
        return opened(Checkpoint.open(Golden.path("divmerge_bert/" + name)));
    }

    private List<String> faults(TinyCheckpoint base, MergeMethod method, Member... members) {
        Checkpoint opened = opened(base.open(folder.resolve("base-" + open.size())));
        for (Member member : members) {
            open.add(member.expert());
        }
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class,
                        () -> MergePlanner.plan(opened, List.of(members), method));
        assertThat(refused).isNotNull();
        return refused.faults().stream().map(Fault::toString).toList();
    }

    private Checkpoint opened(Checkpoint checkpoint) {
        open.add(checkpoint);
        return checkpoint;
    }
}
