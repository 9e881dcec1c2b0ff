package dev.tributary.merging;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How deep in a model its tensors lie, told from their names: layer `i` of `L` lies at `i / (L -
/// 1)`, embeddings at 0, whatever else stands outside of the layers at 1. It is what mergekit
/// interpolates lists of values over.
final class LayerDepth {
    private static final Pattern LAYER =
            Pattern.compile("^(.*?(?:layers?|blocks?|h))\\.(\\d+)(\\..*)$");
    private static final Pattern BEFORE_LAYERS =
            Pattern.compile("embed|(^|\\.)(wte|wpe|shared)\\.");

    private final Map<String, Integer> last = new HashMap<>();

    /// A tensor's place among the layers of its stack.
    ///
    /// @param stack what stands before the layer's number
    /// @param rest what stands after it, with its dot
    record Place(String stack, int layer, String rest) {
        /// The name with another number.
        String in(int otherLayer) {
            return "%s.%d%s".formatted(stack, otherLayer, rest);
        }
    }

    LayerDepth(Collection<String> names) {
        for (String name : names) {
            Place place = place(name);
            if (place != null) {
                last.merge(place.stack(), place.layer(), Math::max);
            }
        }
    }

    /// The layer a tensor belongs to; null outside of layers.
    static @org.jspecify.annotations.Nullable Place place(String name) {
        Matcher matcher = LAYER.matcher(name);
        return matcher.matches()
                ? new Place(matcher.group(1), Integer.parseInt(matcher.group(2)), matcher.group(3))
                : null;
    }

    double of(String name) {
        Place place = place(name);
        if (place == null) {
            return BEFORE_LAYERS.matcher(name).find() ? 0 : 1;
        }
        int deepest = last.getOrDefault(place.stack(), 0);
        return deepest == 0 ? 1 : (double) place.layer() / deepest;
    }
}
