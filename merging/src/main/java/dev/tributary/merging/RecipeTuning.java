package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.merging.method.MethodCatalogue;
import dev.tributary.merging.method.MethodEntry;
import dev.tributary.merging.method.Option;
import dev.tributary.merging.method.Setting;
import dev.tributary.tensors.FailureCode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Understands a recipe's `tune`: the values the method's scale is chosen among, under the name the
/// scale has in `parameters`, and how they are scored.
final class RecipeTuning {
    private static final String TUNE = "tune";
    private static final String SCORE = "score";
    private static final String VALIDATION_ITEMS = "validation_items";

    private final JsonNode tune;
    private final FaultSink faults;

    private RecipeTuning(JsonNode tune, FaultSink faults) {
        this.tune = tune;
        this.faults = faults;
    }

    /// The grid; null where the recipe tunes nothing, or says it wrongly, which is then reported.
    ///
    /// @param parameters of the merge, among which the scale must not stand as well
    static @Nullable ScaleGrid read(
            JsonNode tune, MethodEntry<?> entry, JsonNode parameters, FaultSink faults) {
        if (tune.isMissingNode()) {
            return null;
        }
        RecipeTuning reader = new RecipeTuning(tune, faults);
        Optional<Option<Setting>> scale = entry.scale();
        if (scale.isEmpty()) {
            reader.fault(
                    TUNE,
                    "is not supported by %s, which has no scale to choose, expected one of %s"
                            .formatted(entry.recipeId(), scaledMethods()));
            return null;
        }
        return reader.read(scale.get(), parameters);
    }

    private static String scaledMethods() {
        return MethodCatalogue.entries().stream()
                .filter(entry -> entry.scale().isPresent())
                .map(MethodEntry::recipeId)
                .collect(Collectors.joining(", "));
    }

    private @Nullable ScaleGrid read(Option<Setting> scale, JsonNode parameters) {
        String name = scale.recipeName();
        if (!tune.isObject()) {
            fault(TUNE, "is no mapping, expected '%s: [0.5, 1]'".formatted(name));
            return null;
        }
        RecipeReader.unknownKeys(TUNE + ".", tune, Set.of(name, SCORE, VALIDATION_ITEMS), faults);
        if (parameters.has(name)) {
            fault(
                    "parameters." + name,
                    "stands beside tune.%s, expected one of the two: a value, or values to choose"
                                    .formatted(name)
                            + " among");
        }
        List<Double> values = values(scale);
        ScaleGrid.Score score = score();
        int items = validationItems();
        return values.isEmpty() || score == null || items < 1
                ? null
                : new ScaleGrid(scale, values, score, items);
    }

    private List<Double> values(Option<Setting> scale) {
        String place = TUNE + "." + scale.recipeName();
        JsonNode given = tune.path(scale.recipeName());
        if (!given.isArray() || given.isEmpty()) {
            fault(
                    place,
                    "is %s, expected numbers to choose among: [0.5, 1]"
                            .formatted(
                                    given.isMissingNode()
                                            ? "missing"
                                            : given.isArray() ? "an empty list" : "no list"));
            return List.of();
        }
        List<Double> values = new ArrayList<>();
        for (int i = 0; i < given.size(); i++) {
            JsonNode entry = given.path(i);
            String text = entry.isContainerNode() ? entry.toString() : entry.asText();
            Optional<Double> value = number(text);
            if (value.isPresent()) {
                values.add(value.get());
            } else {
                fault(
                        "%s[%d]".formatted(place, i),
                        "was '%s', expected a finite number".formatted(text));
            }
        }
        return values;
    }

    private static Optional<Double> number(String text) {
        try {
            return Optional.of(Double.parseDouble(text)).filter(Double::isFinite);
        } catch (NumberFormatException _) {
            return Optional.empty();
        }
    }

    private ScaleGrid.@Nullable Score score() {
        String given = tune.path(SCORE).asText(ScaleGrid.Score.NORMALIZED.id());
        for (ScaleGrid.Score score : ScaleGrid.Score.values()) {
            if (score.id().equals(given)) {
                return score;
            }
        }
        fault(
                TUNE + "." + SCORE,
                "was '%s', expected one of %s"
                        .formatted(
                                given,
                                Arrays.stream(ScaleGrid.Score.values())
                                        .map(ScaleGrid.Score::id)
                                        .collect(Collectors.joining(", "))));
        return null;
    }

    private int validationItems() {
        JsonNode given = tune.path(VALIDATION_ITEMS);
        if (given.isMissingNode()) {
            return Integer.MAX_VALUE;
        }
        if (!given.isInt() || given.intValue() < 1) {
            fault(
                    TUNE + "." + VALIDATION_ITEMS,
                    "was '%s', expected a whole number, at least 1".formatted(given.asText()));
            return 0;
        }
        return given.intValue();
    }

    private void fault(String place, String sentence) {
        faults.add(FailureCode.BAD_OPTION, place, sentence);
    }
}
