package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tributary.merging.method.DivMerge;
import dev.tributary.merging.method.Granularity;
import dev.tributary.merging.method.MethodCatalogue;
import dev.tributary.merging.method.Setting;
import dev.tributary.merging.method.TaskArithmetic;
import dev.tributary.merging.method.Ties;
import dev.tributary.merging.method.TrimScope;
import dev.tributary.merging.method.WeightAveraging;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Recipes are mergekit's YAML: what it accepts and we have means here what it means there.
class RecipeTest {
    @TempDir private Path folder;

    @BeforeEach
    void models() throws IOException {
        for (String name : List.of("base", "one", "two", "tasks")) {
            Files.createDirectories(folder.resolve("models").resolve(name));
        }
    }

    @Test
    void readsALinearMergeWithoutABase() {
        Recipe recipe =
                read(
                        """
                        merge_method: linear
                        models:
                          - model: models/one
                            parameters:
                              weight: 1
                          - model: models/two
                            parameters:
                              weight: 0.25
                        dtype: float16
                        """);
        assertThat(recipe.method()).isEqualTo(new WeightAveraging(true));
        assertThat(recipe.base()).isEqualTo(folder.resolve("models/one"));
        assertThat(recipe.members())
                .extracting(Recipe.RecipeMember::name, m -> text(m).get("weight"))
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("one", "1.0"),
                        org.assertj.core.groups.Tuple.tuple("two", "0.25"));
        assertThat(recipe.outputDtype()).isEqualTo(Dtype.F16);
        assertThat(recipe.notes()).singleElement().asString().contains("float32 all the same");
    }

    @Test
    void readsTiesAsMergekitDefinesIt() {
        Recipe recipe =
                read(
                        """
                        merge_method: ties
                        base_model: models/base
                        models:
                          - model: models/base
                          - model: models/one
                            parameters: {weight: 1.0, density: 0.5}
                          - model: models/two
                        parameters:
                          weight: 0.3
                          normalize: false
                          int8_mask: true
                          rescale: false
                        dtype: float32
                        out_dtype: bfloat16
                        tokenizer_source: base
                        """);
        assertThat(recipe.method())
                .isEqualTo(new Ties(Setting.ONE, Setting.ONE, TrimScope.PER_TENSOR, false));
        assertThat(recipe.members())
                .extracting(RecipeTest::text)
                .containsExactly(
                        Map.of("weight", "1.0", "density", "0.5"), Map.of("weight", "0.3"));
        assertThat(recipe.outputDtype()).isEqualTo(Dtype.BF16);
        assertThat(recipe.notes()).singleElement().asString().contains("int8_mask");
    }

    @Test
    void lambdaIsOneInARecipeThatDoesNotSay() {
        assertThat(read(arithmetic("")).method()).isEqualTo(new TaskArithmetic(1.0));
        assertThat(read(arithmetic("parameters: {lambda: 0.4, normalize: true}")).method())
                .isEqualTo(new TaskArithmetic(Setting.of(0.4), true));
    }

    @Test
    void aPositionBetweenTwoModelsBecomesTheirWeights() {
        Recipe recipe =
                read(
                        """
                        merge_method: slerp
                        base_model: models/one
                        models:
                          - model: models/one
                          - model: models/two
                        parameters:
                          t:
                            - filter: self_attn
                              value: [0, 0.5, 1]
                            - value: 0.25
                        """);
        assertThat(recipe.members())
                .extracting(m -> text(m).get("weight"))
                .containsExactly(
                        "[{\"filter\":\"self_attn\",\"value\":[1.0,0.5,0.0]},{\"value\":0.75}]",
                        "[{\"filter\":\"self_attn\",\"value\":[0.0,0.5,1.0]},{\"value\":0.25}]");
    }

    @Test
    void aModelsFilterComesBeforeWhatHoldsForAll() {
        Recipe recipe =
                read(
                        """
                        merge_method: dare_ties
                        base_model: models/base
                        models:
                          - model: models/one
                            parameters:
                              density: 0.3
                              weight:
                                - filter: mlp
                                  value: 0.9
                          - model: models/two
                        parameters:
                          weight: [0, 1]
                          density: 0.5
                          seed: 4
                        include: ["*mlp*", "*attn*"]
                        exclude: ["*embed*"]
                        """);
        assertThat(recipe.members())
                .extracting(RecipeTest::text)
                .containsExactly(
                        Map.of(
                                "density",
                                "0.3",
                                "weight",
                                "[{\"filter\":\"mlp\",\"value\":0.9},{\"value\":[0.0,1.0]}]"),
                        Map.of("weight", "[0.0,1.0]"));
        assertThat(recipe.method().options())
                .containsEntry("density", "0.5")
                .containsEntry("rescale", "true")
                .containsEntry("normalize", "false")
                .containsEntry("seed", "4")
                .containsEntry("include", "*mlp*,*attn*")
                .containsEntry("exclude", "*embed*");
    }

    @Test
    void aBaseModelMakesNuSlerpWorkOnTaskVectors() {
        String recipe =
                """
                merge_method: nuslerp
                models:
                  - model: models/one
                    parameters: {weight: 1}
                  - model: models/two
                    parameters: {weight: 2}
                """;
        assertThat(read(recipe).method().options()).containsEntry("center", "zero");
        assertThat(read(recipe + "base_model: models/base\n").method().options())
                .containsEntry("center", "base");
        assertThat(faults(recipe + "parameters: {nuslerp_row_wise: true}\n"))
                .containsExactly(
                        "[recipe.yml parameters.nuslerp_row_wise] true is not supported, expected"
                                + " false");
    }

    @Test
    void aFilterThatLeavesTensorsWithoutAWeightIsRefused() {
        assertThat(
                        faults(
                                """
                                merge_method: linear
                                models:
                                  - model: models/one
                                    parameters: {weight: [{filter: mlp, value: 1}]}
                                """))
                .containsExactly(
                        "[recipe.yml models[0].parameters.weight] says nothing for tensors that no"
                                + " filter names, expected a last entry without a filter");
    }

    @Test
    void slicesOfSeveralModelsAreStacked() {
        Recipe recipe =
                read(
                        """
                        merge_method: passthrough
                        slices:
                          - sources:
                              - model: models/one
                                layer_range: [0, 3]
                          - sources:
                              - model: models/two
                                layer_range: [1, 4]
                                parameters: {scale: [{filter: o_proj, value: 0}, {value: 1}]}
                        dtype: bfloat16
                        """);
        assertThat(recipe.method().stack().layers()).isEqualTo(6);
        assertThat(recipe.method().options().get("slices"))
                .isEqualTo(
                        "[{\"model\":\"one\",\"layers\":[0,3]},{\"model\":\"two\",\"layers\":[1,4],"
                                + "\"scale\":[{\"filter\":\"o_proj\",\"value\":0.0},{\"value\":1.0}]}]");
    }

    @Test
    void slicesOfOtherMethodsAreWholeModels() throws IOException {
        for (String name : List.of("one", "two")) {
            Files.writeString(
                    folder.resolve("models").resolve(name).resolve("config.json"),
                    "{\"num_hidden_layers\": 4}");
        }
        String recipe =
                """
                merge_method: slerp
                base_model: models/one
                slices:
                  - sources:
                      - model: models/one
                        layer_range: [0, 4]
                      - model: models/two
                        layer_range: [0, %d]
                parameters: {t: 0.5}
                """;
        assertThat(read(recipe.formatted(4)).members()).hasSize(2);
        assertThat(faults(recipe.formatted(3)))
                .containsExactly(
                        "[recipe.yml slices[0].sources[1].layer_range] is [0, 3], expected [0, 4]:"
                                + " only passthrough takes part of a model");
        assertThat(faults(recipe.formatted(4).replace("models/two", "models/one")))
                .contains("[recipe.yml slices[0].sources[1]] 'models/one' is listed twice");
    }

    @Test
    void readsOurOwnMethodWithATaskForEveryModel() {
        Recipe recipe =
                read(
                        """
                        merge_method: divmerge
                        base_model: models/base
                        models:
                          - model: models/one
                          - model: models/two
                        tasks:
                          models/one: models/tasks
                          models/two: models/tasks
                        parameters:
                          granularity: task
                          max_steps: 12
                        """);
        DivMerge method = (DivMerge) recipe.method();
        assertThat(method.descent().granularity()).isEqualTo(Granularity.TASK);
        assertThat(method.descent().maxSteps()).isEqualTo(12);
        assertThat(recipe.members().getFirst().task()).isEqualTo(folder.resolve("models/tasks"));
    }

    @Test
    void everythingThatIsNotSupportedIsRefusedByNameAtOnce() {
        assertThat(
                        faults(
                                """
                                merge_method: ties
                                base_model: somebody/some-model
                                modules: {}
                                chat_template: auto
                                tokenizer_source: models/nine
                                dtype: int8
                                models:
                                  - model: models/one
                                    parameters:
                                      weight: [0, 0.5, 1]
                                      density:
                                        - filter: mlp
                                          value: 1.5
                                        - value: 1
                                      gamma: 0.1
                                    layer_range: [0, 2]
                                  - model: models/three
                                  - model: models/one+some-lora
                                parameters:
                                  rescale: true
                                  normalize: "yes"
                                """))
                .containsExactlyInAnyOrder(
                        "[recipe.yml base_model] 'somebody/some-model' is no folder beside the"
                                + " recipe: models are not fetched from a hub, download it and name"
                                + " its folder",
                        "[recipe.yml modules] is not supported, expected one of base_model, dtype, exclude,"
                                + " include, merge_method, models, out_dtype, parameters, slices,"
                                + " tasks, tokenizer, tokenizer_source, tune",
                        "[recipe.yml chat_template] is not supported, expected one of base_model,"
                                + " dtype, exclude, include, merge_method, models, out_dtype, parameters, slices,"
                                + " tasks, tokenizer, tokenizer_source, tune",
                        "[recipe.yml tokenizer_source] 'models/nine' is none of base, union or a"
                                + " model of the recipe",
                        "[recipe.yml dtype] 'int8' is not supported, expected one of bfloat16,"
                                + " float16, float32",
                        "[recipe.yml models[0].parameters.density] was"
                                + " '[{\"filter\":\"mlp\",\"value\":1.5},{\"value\":1}]', expected more"
                                + " than 0 and at most 1",
                        "[recipe.yml models[0].parameters.gamma] is not supported by ties, expected"
                                + " one of density, weight",
                        "[recipe.yml models[0].layer_range] is not supported, expected one of"
                                + " model, parameters",
                        "[recipe.yml models[1].model] 'models/three' is no folder beside the"
                                + " recipe: models are not fetched from a hub, download it and name"
                                + " its folder",
                        "[recipe.yml models[2].model] 'models/one+some-lora' is no folder: an"
                                + " adapter is listed by its own folder, beside base_model, and read"
                                + " as it is",
                        "[recipe.yml parameters.rescale] true is not supported, expected false",
                        "[recipe.yml parameters.normalize] was 'yes', expected true or false");
    }

    @Test
    void anUnknownMethodIsRefusedTogetherWithTheRest() {
        assertThat(
                        faults(
                                """
                                merge_method: dare_tiez
                                models: nothing
                                """))
                .containsExactly(
                        "[recipe.yml merge_method] 'dare_tiez' is not supported, expected one of "
                                + String.join(", ", MethodCatalogue.recipeIds()),
                        "[recipe.yml models] is missing or no list, expected a list of '- model:"
                                + " <folder>'");
    }

    @Test
    void aWeightIsNeededAsInMergekit() {
        assertThat(
                        faults(
                                """
                                merge_method: linear
                                models:
                                  - model: models/one
                                """))
                .containsExactly(
                        "[recipe.yml models[0].parameters.weight] is missing, expected a number");
    }

    @Test
    void aLinearMergeDoesNotTakeABaseItWouldNotUse() {
        assertThat(
                        faults(
                                """
                                merge_method: linear
                                base_model: models/base
                                models:
                                  - model: models/one
                                    parameters: {weight: 1}
                                """))
                .singleElement()
                .asString()
                .contains("base_model] is not among the models: linear takes");
    }

    @Test
    void withinATrustRegionALinearMergeHasABaseBesideItsModels() {
        String linear =
                """
                merge_method: linear
                %s
                models:
                  - model: models/one
                  - model: models/two
                parameters: {weight: 1, trust_region: zero_shot}
                """;
        Recipe recipe = read(linear.formatted("base_model: models/base"));
        assertThat(recipe.base()).isEqualTo(folder.resolve("models/base"));
        assertThat(recipe.members()).hasSize(2);
        assertThat(recipe.method().options()).containsEntry("trust_region", "zero_shot");
        assertThat(faults(linear.formatted("")))
                .containsExactly(
                        "[recipe.yml base_model] is missing, expected the model the others were"
                                + " tuned from");
    }

    @Test
    void aTrustRegionOfGradientsNeedsATaskForEveryModel() {
        String ties =
                """
                merge_method: ties
                base_model: models/base
                models:
                  - model: models/one
                tasks:
                  models/one: models/tasks
                parameters: {weight: 1, trust_region: %s}
                """;
        assertThat(read(ties.formatted("given")).members().getFirst().task())
                .isEqualTo(folder.resolve("models/tasks"));
        assertThat(faults(ties.formatted("zero_shot")))
                .singleElement()
                .asString()
                .contains("tasks] belongs to methods that learn from data");
        assertThat(faults(ties.formatted("zero_shot, trust_region_removed: 7")))
                .anyMatch(fault -> fault.contains("parameters.trust_region_removed] was '7'"));
    }

    private static String tuned(String method, String parameters, String tune) {
        return """
        merge_method: %s
        base_model: models/base
        models:
          - model: models/one
        tasks:
          models/one: models/tasks
        parameters: {%s}
        tune: %s
        """
                .formatted(method, parameters, tune);
    }

    @Test
    void valuesToChooseAScaleAmongAreReadFromTheSmallestOn() {
        Recipe recipe = read(tuned("ties", "weight: 1", "{lambda: [1.5, 0.5, 1, 1.0]}"));
        ScaleGrid grid = Objects.requireNonNull(recipe.tune());
        assertThat(grid.option().name()).isEqualTo("lambda");
        assertThat(grid.values()).containsExactly(0.5, 1.0, 1.5);
        assertThat(grid.score()).isEqualTo(ScaleGrid.Score.NORMALIZED);
        assertThat(grid.validationItems()).isEqualTo(Integer.MAX_VALUE);
        assertThat(recipe.members().getFirst().task()).isEqualTo(folder.resolve("models/tasks"));

        ScaleGrid other =
                Objects.requireNonNull(
                        read(tuned(
                                        "tsv_m",
                                        "",
                                        "{alpha: [1], score: metric," + " validation_items: 50}"))
                                .tune());
        assertThat(other.option().name()).isEqualTo("alpha");
        assertThat(other.score()).isEqualTo(ScaleGrid.Score.METRIC);
        assertThat(other.validationItems()).isEqualTo(50);
        assertThat(read(arithmetic("")).tune()).isNull();
    }

    @Test
    void everythingThatIsWrongWithAGridIsSaidAtOnce() {
        assertThat(
                        faults(
                                tuned(
                                        "ties",
                                        "weight: 1, lambda: 1, density: 7",
                                        "{lambda: [0.5, Infinity, NaN, much, [1]], score: best,"
                                                + " validation_items: 0, steps: 3}")))
                .containsExactlyInAnyOrder(
                        "[recipe.yml parameters.density] was '7', expected more than 0 and at most"
                                + " 1",
                        "[recipe.yml parameters.lambda] stands beside tune.lambda, expected one of"
                                + " the two: a value, or values to choose among",
                        "[recipe.yml tune.steps] is not supported, expected one of lambda, score,"
                                + " validation_items",
                        "[recipe.yml tune.lambda[1]] was 'Infinity', expected a finite number",
                        "[recipe.yml tune.lambda[2]] was 'NaN', expected a finite number",
                        "[recipe.yml tune.lambda[3]] was 'much', expected a finite number",
                        "[recipe.yml tune.lambda[4]] was '[1]', expected a finite number",
                        "[recipe.yml tune.score] was 'best', expected one of normalized, metric",
                        "[recipe.yml tune.validation_items] was '0', expected a whole number, at"
                                + " least 1");
    }

    @Test
    void aGridWithoutValuesOrAScaleOrTasksIsRefused() {
        assertThat(faults(tuned("ties", "weight: 1", "{lambda: []}")))
                .containsExactly(
                        "[recipe.yml tune.lambda] is an empty list, expected numbers to choose"
                                + " among: [0.5, 1]");
        assertThat(faults(tuned("ties", "weight: 1", "{}")))
                .containsExactly(
                        "[recipe.yml tune.lambda] is missing, expected numbers to choose among:"
                                + " [0.5, 1]");
        assertThat(faults(tuned("ties", "weight: 1", "{lambda: 1}")))
                .containsExactly(
                        "[recipe.yml tune.lambda] is no list, expected numbers to choose among:"
                                + " [0.5, 1]");
        assertThat(faults(tuned("ties", "weight: 1", "lambda")))
                .containsExactly("[recipe.yml tune] is no mapping, expected 'lambda: [0.5, 1]'");
        assertThat(faults(tuned("divmerge", "", "{lambda: [1]}")))
                .singleElement()
                .asString()
                .startsWith(
                        "[recipe.yml tune] is not supported by divmerge, which has no scale to"
                                + " choose, expected one of task_arithmetic, ties, dare_linear");
        assertThat(faults(arithmetic("tune: {lambda: [0.5, 1]}")))
                .containsExactly(
                        "[recipe.yml tasks] is missing, expected '<model as listed>: <task"
                                + " definition>' a line");
    }

    @Test
    void readsWhoseTokensAreWanted() {
        assertThat(read(arithmetic("")).vocabulary()).isNull();
        assertThat(read(arithmetic("tokenizer_source: base")).vocabulary())
                .isEqualTo(VocabularyChoice.ofBase());
        assertThat(read(arithmetic("tokenizer_source: models/base")).vocabulary())
                .isEqualTo(VocabularyChoice.ofBase());
        assertThat(read(arithmetic("tokenizer_source: models/one")).vocabulary())
                .isEqualTo(VocabularyChoice.ofModel(folder.resolve("models/one")));
        assertThat(read(arithmetic("tokenizer: {pad_to_multiple_of: 64}")).vocabulary())
                .isEqualTo(VocabularyChoice.ofUnion().paddedTo(64));
        assertThat(read(arithmetic("tokenizer: {source: base}")).vocabulary())
                .isEqualTo(VocabularyChoice.ofBase());
    }

    @Test
    void whatIsWantedOfTokensAndNotSupportedIsRefusedByName() {
        assertThat(
                        faults(
                                arithmetic(
                                        """
                                        tokenizer:
                                          source: models/two
                                          pad_to_multiple_of: 0
                                          tokens: {"<tool>": {source: models/one}}
                                          colour: red
                                        """)))
                .containsExactlyInAnyOrder(
                        "[recipe.yml tokenizer.source] 'models/two' is none of base, union or a model"
                                + " of the recipe",
                        "[recipe.yml tokenizer.pad_to_multiple_of] was '0', expected a whole number,"
                                + " at least 1 and at most 1048576",
                        "[recipe.yml tokenizer.tokens] is not supported: rows come from the models"
                                + " that have the token, remove it",
                        "[recipe.yml tokenizer.colour] is not supported, expected one of"
                                + " pad_to_multiple_of, source, tokens");
        assertThat(faults(arithmetic("tokenizer: {}\ntokenizer_source: union")))
                .containsExactly(
                        "[recipe.yml tokenizer] stands beside tokenizer_source, expected one of the"
                                + " two");
    }

    @Test
    void aTaskThatIsMissingOrTooManyIsRefused() {
        assertThat(
                        faults(
                                """
                                merge_method: divmerge
                                base_model: models/base
                                models:
                                  - model: models/one
                                  - model: models/two
                                tasks:
                                  models/one: nowhere.yaml
                                  models/nine: models/tasks
                                parameters: {max_steps: -1}
                                """))
                .containsExactlyInAnyOrder(
                        "[recipe.yml tasks.models/one] 'nowhere.yaml' does not exist, expected a"
                                + " task definition: a YAML file or its folder",
                        "[recipe.yml tasks.models/nine] names no entry of 'models', expected one as"
                                + " it is written there",
                        "[recipe.yml tasks] has no line for 'models/two'",
                        "[recipe.yml parameters.max_steps] was '-1', expected a whole number, at"
                                + " least 0 and at most 100000");
    }

    @Test
    void aKeyWrittenTwiceIsNotGuessedAt() {
        assertThat(
                        faults(
                                """
                                merge_method: linear
                                merge_method: ties
                                """))
                .singleElement()
                .asString()
                .contains("is no readable YAML")
                .contains("Duplicate");
    }

    private static Map<String, String> text(Recipe.RecipeMember member) {
        Map<String, String> text = new TreeMap<>();
        member.settings().forEach((name, setting) -> text.put(name, setting.text()));
        return text;
    }

    private static String arithmetic(String parameters) {
        return """
        merge_method: task_arithmetic
        base_model: models/base
        models:
          - model: models/one
            parameters: {weight: 1}
        %s
        """
                .formatted(parameters);
    }

    private Recipe read(String yaml) {
        Path file = folder.resolve("recipe.yml");
        try {
            Files.writeString(file, yaml);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return Recipe.read(file);
    }

    private List<String> faults(String yaml) {
        RefusedException refused = catchThrowableOfType(RefusedException.class, () -> read(yaml));
        assertThat(refused).isNotNull();
        return refused.faults().stream().map(Fault::toString).toList();
    }
}
