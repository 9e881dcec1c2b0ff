package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.merging.method.Passthrough;
import dev.tributary.tensors.FailureCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;

/// Understands a recipe's `slices`: layers of several models stacked, or one slice of whole models,
/// which is another way of listing them.
///
/// @param slices the node
/// @param models those the slices name
record RecipeSlices(JsonNode slices, RecipePaths paths, RecipeModels models, FaultSink faults) {

    /// The slices as an option of a method that stacks layers.
    String stack() {
        ArrayNode stack = JsonText.object().putArray("slices");
        for (int s = 0; s < slices.size(); s++) {
            JsonNode sources = slices.path(s).path("sources");
            if (sources.size() != 1) {
                fault(
                        "slices[%d].sources".formatted(s),
                        "are %d, but layers are stacked from one model at a time"
                                .formatted(sources.size()));
                continue;
            }
            JsonNode source = sources.path(0);
            String place = "slices[%d].sources[0].".formatted(s);
            JsonNode range = source.path("layer_range");
            paths.resolve(source.path("model").asText(""))
                    .flatMap(models::nameOf)
                    .ifPresent(name -> {
                        ObjectNode slice = stack.addObject();
                        slice.put("model", name);
                        slice.set("layers", range);
                    });
            JsonNode parameters = source.path("parameters");
            RecipeReader.unknownKeys(
                    place + "parameters.", parameters, Set.of(Passthrough.SCALE_NAME), faults);
            if (parameters.has(Passthrough.SCALE_NAME) && !stack.isEmpty()) {
                ((ObjectNode) stack.get(stack.size() - 1))
                        .set(Passthrough.SCALE_NAME, parameters.path(Passthrough.SCALE_NAME));
            }
        }
        return stack.toString();
    }

    /// Other methods merge whole models: one slice, all layers of each.
    void refuseUnlessWhole() {
        if (slices.size() != 1) {
            fault(
                    "slices",
                    "are %d, but only passthrough stacks slices: expected one with all layers, or"
                                    .formatted(slices.size())
                            + " models");
            return;
        }
        JsonNode sources = slices.path(0).path("sources");
        for (int i = 0; i < sources.size(); i++) {
            JsonNode source = sources.path(i);
            JsonNode range = source.path("layer_range");
            int layers =
                    paths.resolve(source.path("model").asText(""))
                            .map(RecipeSlices::layers)
                            .orElse(0);
            if (layers > 0
                    && range.size() == 2
                    && (range.path(0).asInt() != 0 || range.path(1).asInt() != layers)) {
                fault(
                        "slices[0].sources[%d].layer_range".formatted(i),
                        "is [%s, %s], expected [0, %d]: only passthrough takes part of a model"
                                .formatted(range.path(0).asText(), range.path(1).asText(), layers));
            }
        }
    }

    /// How many layers a model says it has; 0 if it does not say.
    private static int layers(Path directory) {
        try {
            JsonNode config =
                    new ObjectMapper().readTree(Files.readString(directory.resolve("config.json")));
            return Stream.of("num_hidden_layers", "num_layers", "n_layer")
                    .mapToInt(key -> config.path(key).asInt(0))
                    .filter(count -> count > 0)
                    .findFirst()
                    .orElse(0);
        } catch (IOException _) {
            return 0;
        }
    }

    private void fault(String place, String sentence) {
        faults.add(FailureCode.BAD_OPTION, place, sentence);
    }
}
