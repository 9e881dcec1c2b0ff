package dev.tributary.models;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// Reads the fields of a `config.json` and collects everything that is wrong with them.
final class ConfigReader {
    private final JsonNode config;
    private final String where;
    private final List<Fault> faults;

    ConfigReader(JsonNode config, String where) {
        this(config, where, new ArrayList<>());
    }

    private ConfigReader(JsonNode config, String where, List<Fault> faults) {
        this.config = config;
        this.where = where;
        this.faults = faults;
    }

    /// A configuration within this one; what is wrong with it is wrong with this one.
    ConfigReader within(String key) {
        return new ConfigReader(config.path(key), "%s %s".formatted(where, key), faults);
    }

    /// A field as it is; missing where it is not there.
    JsonNode field(String key) {
        return config.path(key);
    }

    /// The class the checkpoint was saved from.
    String architecture(String otherwise) {
        return config.path("architectures").path(0).asText(otherwise);
    }

    /// A positive integer that must be there.
    int size(String key) {
        JsonNode value = config.path(key);
        if (!value.isInt() || value.intValue() < 1) {
            refuse("%s is %s, expected a positive integer".formatted(key, text(value)));
            return 0;
        }
        return value.intValue();
    }

    /// A positive integer, or another where it is missing or null.
    int size(String key, int otherwise) {
        JsonNode value = config.path(key);
        return value.isMissingNode() || value.isNull() ? otherwise : size(key);
    }

    /// A number, or another where it is missing.
    double number(String key, double otherwise) {
        return config.path(key).asDouble(otherwise);
    }

    Activation activation(String key, String otherwise) {
        String name = config.path(key).asText(otherwise);
        Optional<Activation> activation = Activation.of(name);
        if (activation.isEmpty()) {
            refuse("%s is '%s', expected one of %s".formatted(key, name, Activation.known()));
        }
        return activation.orElse(Activation.GELU);
    }

    /// Heads share the hidden width evenly.
    int heads(String key, String hiddenKey, int hidden) {
        return dividing(size(key), hiddenKey, hidden);
    }

    /// Heads share the hidden width evenly, so many where it does not say.
    int heads(String key, int otherwise, String hiddenKey, int hidden) {
        return dividing(size(key, otherwise), hiddenKey, hidden);
    }

    private int dividing(int heads, String hiddenKey, int hidden) {
        if (heads > 0 && hidden % heads != 0) {
            refuse("%s %d is no multiple of %d heads".formatted(hiddenKey, hidden, heads));
        }
        return heads;
    }

    /// Labels in the order of their ids; what `transformers` assumes where none are given. Only
    /// classifiers have any.
    List<String> labels(String architecture) {
        if (!architecture.endsWith("ForSequenceClassification")
                && !architecture.endsWith("ForImageClassification")) {
            return List.of();
        }
        return labels();
    }

    /// Labels in the order of their ids.
    List<String> labels() {
        JsonNode names = config.path("id2label");
        int count = names.isObject() ? names.size() : config.path("num_labels").asInt(2);
        List<String> labels = new ArrayList<>();
        for (int id = 0; id < count; id++) {
            JsonNode name = names.path(Integer.toString(id));
            if (names.isObject() && !name.isTextual()) {
                refuse("id2label has %d entries but none for id %d".formatted(count, id));
            }
            labels.add(name.asText("LABEL_" + id));
        }
        return labels;
    }

    void refuse(String sentence) {
        faults.add(new Fault(FailureCode.UNSUPPORTED_ARCHITECTURE, where, sentence));
    }

    /// What was read, unless something was refused.
    ///
    /// @throws RefusedException with all that was
    <C> C orRefuse(Supplier<C> config) {
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        return config.get();
    }

    private static String text(JsonNode value) {
        return value.isMissingNode() ? "missing" : value.toString();
    }
}
