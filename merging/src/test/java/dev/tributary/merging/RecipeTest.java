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
        assertThat(method.granularity()).isEqualTo(Granularity.TASK);
        assertThat(method.maxSteps()).isEqualTo(12);
        assertThat(recipe.members().getFirst().task()).isEqualTo(folder.resolve("models/tasks"));
    }

    @Test
    void everythingThatIsNotSupportedIsRefusedByNameAtOnce() {
        assertThat(
                        faults(
                                """
                                merge_method: ties
                                base_model: somebody/some-model
                                slices: []
                                chat_template: auto
                                tokenizer_source: union
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
                        "[recipe.yml slices] is not supported, expected one of base_model, dtype, exclude,"
                                + " include, merge_method, models, out_dtype, parameters, tasks,"
                                + " tokenizer_source",
                        "[recipe.yml chat_template] is not supported, expected one of base_model,"
                                + " dtype, exclude, include, merge_method, models, out_dtype, parameters, tasks,"
                                + " tokenizer_source",
                        "[recipe.yml tokenizer_source] 'union' is not supported, expected base:"
                                + " vocabularies are never mixed",
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
                        "[recipe.yml models[2].model] 'models/one+some-lora' is no folder: adapters"
                                + " are not read here, merge the adapter into its model first",
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
