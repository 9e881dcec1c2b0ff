package dev.tributary.merging.method;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.DoubleStream;
import org.jspecify.annotations.Nullable;

/// A parameter that may differ from tensor to tensor, in mergekit's language: one number, a list of
/// numbers interpolated over the depth of the model, or a list of cases `{filter, value}` of which
/// the first whose filter is part of the tensor's name holds.
///
/// @param cases tried in order
public record Setting(List<Case> cases) {
    /// One, everywhere.
    public static final Setting ONE = of(1);

    private static final ObjectMapper JSON = new ObjectMapper();

    /// The values where a filter applies.
    ///
    /// @param filter part of a tensor's name; null for every tensor
    /// @param values one, or several at equal distances over the depth of the model
    public record Case(@Nullable String filter, List<Double> values) {
        public Case {
            values = List.copyOf(values);
            if (values.isEmpty()) {
                throw new IllegalArgumentException("is an empty list, expected numbers");
            }
        }

        private boolean applies(String name) {
            return filter == null || name.contains(filter);
        }

        private double at(double depth) {
            double place = depth * (values.size() - 1);
            int before = Math.min((int) place, values.size() - 1);
            int after = Math.min(before + 1, values.size() - 1);
            double share = place - before;
            return (1 - share) * values.get(before) + share * values.get(after);
        }
    }

    public Setting {
        cases = List.copyOf(cases);
        if (cases.isEmpty()) {
            throw new IllegalArgumentException("is an empty list, expected numbers or filters");
        }
    }

    /// The same number everywhere.
    public static Setting of(double value) {
        return new Setting(List.of(new Case(null, List.of(value))));
    }

    /// Reads a setting: a number, or JSON with a list of numbers or of cases.
    ///
    /// @throws IllegalArgumentException in words that follow a name
    public static Setting parse(String text) {
        String stripped = text.strip();
        if (!stripped.startsWith("[") && !stripped.startsWith("{")) {
            try {
                return of(Double.parseDouble(stripped));
            } catch (NumberFormatException _) {
                throw new IllegalArgumentException("is no number");
            }
        }
        try {
            return of(JSON.readTree(stripped));
        } catch (JsonProcessingException _) {
            throw new IllegalArgumentException("is neither a number nor a list");
        }
    }

    /// Reads a setting from a file's node.
    ///
    /// @throws IllegalArgumentException in words that follow a name
    public static Setting of(JsonNode node) {
        if (node.isObject()) {
            return new Setting(List.of(oneCase(node)));
        }
        if (!node.isArray() || node.isEmpty() || !node.get(0).isObject()) {
            return new Setting(List.of(new Case(null, values(node))));
        }
        List<Case> cases = new ArrayList<>();
        node.forEach(entry -> cases.add(oneCase(entry)));
        return new Setting(cases);
    }

    private static Case oneCase(JsonNode node) {
        if (!node.isObject() || !node.has("value")) {
            throw new IllegalArgumentException(
                    "has an entry without 'value', expected {filter, value}");
        }
        node.fieldNames()
                .forEachRemaining(name -> {
                    if (!Set.of("filter", "value").contains(name)) {
                        throw new IllegalArgumentException(
                                "has '%s' in a filter, expected filter and value".formatted(name));
                    }
                });
        JsonNode filter = node.path("filter");
        boolean every = filter.isMissingNode() || filter.isNull() || "*".equals(filter.asText());
        return new Case(every ? null : filter.asText(), values(node.path("value")));
    }

    private static List<Double> values(JsonNode node) {
        List<Double> values = new ArrayList<>();
        for (JsonNode value :
                node.isArray() ? node : JsonNodeFactory.instance.arrayNode().add(node)) {
            if (!value.isNumber()) {
                throw new IllegalArgumentException(
                        "was '%s', expected a number".formatted(value.asText()));
            }
            values.add(value.doubleValue());
        }
        return values;
    }

    /// The value for a tensor; empty when no case applies to it.
    public OptionalDouble at(String name, double depth) {
        for (Case one : cases) {
            if (one.applies(name)) {
                return OptionalDouble.of(one.at(depth));
            }
        }
        return OptionalDouble.empty();
    }

    /// Whether every tensor has a value.
    public boolean total() {
        return cases.stream().anyMatch(one -> one.filter() == null);
    }

    /// This setting, and another one where it says nothing.
    public Setting orElse(Setting other) {
        if (total()) {
            return this;
        }
        List<Case> all = new ArrayList<>(cases);
        all.addAll(other.cases());
        return new Setting(all);
    }

    /// The setting with every number replaced.
    public Setting map(DoubleUnaryOperator change) {
        return new Setting(
                cases.stream()
                        .map(one ->
                                new Case(
                                        one.filter(),
                                        one.values().stream().map(change::applyAsDouble).toList()))
                        .toList());
    }

    /// All numbers in it.
    public DoubleStream values() {
        return cases.stream().flatMap(one -> one.values().stream()).mapToDouble(v -> v);
    }

    /// Whether it is this number everywhere.
    public boolean is(double value) {
        return cases.getFirst().filter() == null
                && cases.getFirst().values().equals(List.of(value));
    }

    /// The setting as [#parse] reads it.
    public String text() {
        Case first = cases.getFirst();
        if (first.filter() == null) {
            return first.values().size() == 1
                    ? Double.toString(first.values().getFirst())
                    : numbers(first.values()).toString();
        }
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        for (Case one : cases) {
            ObjectNode entry = list.addObject();
            if (one.filter() != null) {
                entry.put("filter", one.filter());
            }
            entry.set(
                    "value",
                    one.values().size() == 1
                            ? JsonNodeFactory.instance.numberNode(one.values().getFirst())
                            : numbers(one.values()));
        }
        return list.toString();
    }

    private static ArrayNode numbers(List<Double> values) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        values.forEach(array::add);
        return array;
    }
}
