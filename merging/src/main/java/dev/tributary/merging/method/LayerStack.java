package dev.tributary.merging.method;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Layers of several models, one upon the other, as the layers of a new one. What lies before the
/// layers comes from the first slice's model, what lies after them from the last one's.
///
/// @param slices from the bottom to the top; empty for a model as it is
public record LayerStack(List<Slice> slices) {
    /// A model as it is.
    public static final LayerStack NONE = new LayerStack(List.of());

    private static final ObjectMapper JSON = new ObjectMapper();

    /// Neighbouring layers of one model.
    ///
    /// @param model the expert's task
    /// @param from the first layer
    /// @param to the layer after the last
    /// @param scale factor of its tensors; null for the method's
    public record Slice(String model, int from, int to, @Nullable Setting scale) {
        public Slice {
            if (from < 0 || to <= from) {
                throw new IllegalArgumentException(
                        "has layers [%d, %d], expected a first layer and the one after the last"
                                .formatted(from, to));
            }
        }
    }

    public LayerStack {
        slices = List.copyOf(slices);
    }

    /// How many layers the new model has.
    public int layers() {
        return slices.stream().mapToInt(slice -> slice.to() - slice.from()).sum();
    }

    /// Reads a stack: a JSON list of `{model, layers: [from, to], scale}`.
    ///
    /// @throws IllegalArgumentException when it is none
    public static LayerStack parse(String text) {
        if (text.isBlank()) {
            return NONE;
        }
        JsonNode root;
        try {
            root = JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("is no JSON", e);
        }
        if (!root.isArray()) {
            throw new IllegalArgumentException("is no list");
        }
        List<Slice> slices = new ArrayList<>();
        for (JsonNode node : root) {
            JsonNode layers = node.path("layers");
            node.fieldNames()
                    .forEachRemaining(name -> {
                        if (!Set.of("model", "layers", "scale").contains(name)) {
                            throw new IllegalArgumentException(
                                    "has '%s' in a slice".formatted(name));
                        }
                    });
            if (!node.path("model").isTextual()
                    || layers.size() != 2
                    || !layers.path(0).isInt()
                    || !layers.path(1).isInt()) {
                throw new IllegalArgumentException("has a slice without model or layers");
            }
            slices.add(
                    new Slice(
                            node.path("model").textValue(),
                            layers.path(0).intValue(),
                            layers.path(1).intValue(),
                            node.has("scale") ? Setting.of(node.path("scale")) : null));
        }
        return new LayerStack(slices);
    }

    /// The stack as [#parse] reads it.
    public String text() {
        if (slices.isEmpty()) {
            return "";
        }
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        for (Slice slice : slices) {
            ObjectNode node = list.addObject();
            node.put("model", slice.model());
            node.putArray("layers").add(slice.from()).add(slice.to());
            Setting scale = slice.scale();
            if (scale != null) {
                try {
                    node.set("scale", JSON.readTree(scale.text()));
                } catch (JsonProcessingException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
        return list.toString();
    }
}
