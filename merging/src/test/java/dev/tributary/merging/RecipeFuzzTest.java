package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.method.MethodCatalogue;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Recipes with random damage: each one is read whole, or refused with sentences that say where.
/// More rounds: `-Dfuzz.rounds`.
class RecipeFuzzTest {
    private static final int ROUNDS = Integer.getInteger("fuzz.rounds", 6_000);

    private static final List<String> VALUES =
            List.of(
                    "",
                    "null",
                    "~",
                    "true",
                    "[]",
                    "{}",
                    "0",
                    "-1",
                    "1e400",
                    ".nan",
                    ".inf",
                    "0x10",
                    "1_000",
                    "99999999999999999999",
                    "\"\\0\"",
                    "\"a\\nb\"",
                    "\"\\ud800\"",
                    "'models/one'",
                    "models/one",
                    "../models/base",
                    "/etc",
                    "org/name@main",
                    "models/one+adapter",
                    "[0, 1]",
                    "[0, [1, {}]]",
                    "[{filter: mlp, value: 1}]",
                    "[{value: [0, 1]}, 2]",
                    "{filter: '('}",
                    "&a [*a]",
                    "*a",
                    "!!binary aGVsbG8=",
                    "!!java.net.URL [x]",
                    "2026-01-01",
                    "yes",
                    "union",
                    "base",
                    "bfloat16",
                    "int8");

    private static final List<String> KEYS =
            Stream.concat(
                            Stream.of(
                                    "merge_method",
                                    "base_model",
                                    "models",
                                    "model",
                                    "slices",
                                    "sources",
                                    "layer_range",
                                    "parameters",
                                    "weight",
                                    "density",
                                    "lambda",
                                    "t",
                                    "normalize",
                                    "seed",
                                    "dtype",
                                    "out_dtype",
                                    "tokenizer",
                                    "tokenizer_source",
                                    "source",
                                    "tokens",
                                    "tasks",
                                    "tune",
                                    "include",
                                    "exclude",
                                    "filter",
                                    "value",
                                    "<<",
                                    "? x"),
                            MethodCatalogue.recipeIds().stream())
                    .toList();

    private static final String RECIPE =
            """
            merge_method: %s
            base_model: models/base
            models:
              - model: models/one
                parameters:
                  density: 0.3
                  weight:
                    - filter: mlp
                      value: [0, 0.5, 1]
                    - value: 0.9
              - model: models/two
                parameters: {weight: 1}
            parameters:
              weight: 0.5
              normalize: false
              seed: 4
            include: ["*mlp*", "*attn*"]
            exclude: ["*embed*"]
            dtype: float32
            out_dtype: bfloat16
            tokenizer:
              source: union
              pad_to_multiple_of: 8
            """;

    private static final String STACK =
            """
            merge_method: %s
            slices:
              - sources:
                  - model: models/one
                    layer_range: [0, 4]
              - sources:
                  - model: models/two
                    layer_range: [2, 6]
                    parameters: {scale: 0.5}
            dtype: float16
            """;

    private static final String TUNED =
            """
            merge_method: %s
            base_model: models/base
            models:
              - model: models/one
              - model: models/two
            tasks:
              models/one: models
              models/two: models
            tune: {lambda: [0.1, 0.3], validation_items: 10}
            tokenizer_source: models/two
            """;

    private static final List<List<String>> SOUND =
            List.of(
                    List.of(RECIPE, "dare_ties"),
                    List.of(RECIPE, "ties"),
                    List.of(STACK, "passthrough"),
                    List.of(TUNED, "task_arithmetic"));

    @TempDir private Path folder;

    @Test
    void everyDamagedRecipeIsReadOrRefusedInSentences() throws IOException {
        for (String name : List.of("base", "one", "two")) {
            Files.createDirectories(folder.resolve("models").resolve(name));
        }
        List<String> methods = List.copyOf(MethodCatalogue.recipeIds());
        SplittableRandom random = new SplittableRandom(2403_13257);
        Path file = folder.resolve("recipe.yml");
        int read = 0;
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            List<String> sound = SOUND.get(random.nextInt(SOUND.size()));
            String method =
                    random.nextInt(4) == 0
                            ? methods.get(random.nextInt(methods.size()))
                            : sound.getLast();
            String text = damaged(sound.getFirst().formatted(method), random);
            Files.writeString(file, text);
            try {
                checkWhole(Recipe.read(file));
                read++;
            } catch (RefusedException e) {
                for (Fault fault : e.faults()) {
                    assertThat(fault.where()).as(text).isNotBlank();
                    assertThat(fault.sentence()).as(text).isNotBlank().doesNotContain("Exception");
                }
                refused++;
            } catch (RuntimeException | StackOverflowError e) {
                throw new AssertionError("round %d:%n%s".formatted(round, text), e);
            }
        }
        assertThat(read).isGreaterThan(ROUNDS / 200);
        assertThat(refused).isGreaterThan(ROUNDS / 4);
    }

    private static void checkWhole(Recipe recipe) {
        assertThat(recipe.members()).isNotEmpty();
        assertThat(recipe.method().options()).isNotNull();
    }

    private static String damaged(String recipe, SplittableRandom random) {
        List<String> lines = new ArrayList<>(recipe.lines().toList());
        for (int edits = random.nextInt(1, 4); edits > 0 && !lines.isEmpty(); edits--) {
            int at = random.nextInt(lines.size());
            String line = lines.get(at);
            switch (random.nextInt(7)) {
                case 0 -> lines.remove(at);
                case 1 -> lines.add(random.nextInt(lines.size() + 1), line);
                case 2 -> lines.set(at, valued(line, random));
                case 3 -> lines.set(at, keyed(line, random));
                case 4 -> lines.set(at, " ".repeat(random.nextInt(7)) + line.strip());
                case 5 -> lines.set(at, edited(line, random));
                default ->
                        lines.add(
                                at,
                                " ".repeat(random.nextInt(4) * 2)
                                        + KEYS.get(random.nextInt(KEYS.size()))
                                        + ": "
                                        + VALUES.get(random.nextInt(VALUES.size())));
            }
        }
        return String.join("\n", lines) + "\n";
    }

    private static String valued(String line, SplittableRandom random) {
        int colon = line.indexOf(':');
        String value = VALUES.get(random.nextInt(VALUES.size()));
        return colon < 0 ? value : line.substring(0, colon + 1) + " " + value;
    }

    private static String keyed(String line, SplittableRandom random) {
        int colon = line.indexOf(':');
        String key = KEYS.get(random.nextInt(KEYS.size()));
        return colon < 0
                ? key + ":"
                : line.replaceFirst(
                        "[^ -][^:]*:", java.util.regex.Matcher.quoteReplacement(key + ":"));
    }

    private static String edited(String line, SplittableRandom random) {
        int from = random.nextInt(line.length() + 1);
        int to = Math.min(line.length(), from + random.nextInt(4));
        String put = random.nextBoolean() ? "" : Character.toString(random.nextInt(0x20, 0x7f));
        return line.substring(0, from) + put + line.substring(to);
    }
}
