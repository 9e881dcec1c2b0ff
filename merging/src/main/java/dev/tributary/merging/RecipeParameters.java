package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.merging.method.BaseRole;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.MethodEntry;
import dev.tributary.merging.method.Option;
import dev.tributary.merging.method.OptionReader;
import dev.tributary.merging.method.Passthrough;
import dev.tributary.merging.method.Setting;
import dev.tributary.merging.method.SphereCenter;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Understands the parameters of a recipe as mergekit does: what they are called, which belong to a
/// model and which to the merge, and what holds when one is left out. All of it follows from the
/// method's entry in the catalogue.
final class RecipeParameters {
    /// Where between the base and the other model an interpolation lies, in mergekit's word.
    private static final Option<Setting> POSITION =
            Option.number(
                    "t",
                    dev.tributary.merging.method.Bound.from("t", 0, 1),
                    0.5,
                    "0 is base_model, 1 the other model");

    private final MethodEntry<?> entry;
    private final JsonNode overall;
    private final boolean baseNamed;
    private final FaultSink faults;
    private final Consumer<String> notes;

    /// @param baseNamed whether the recipe names a base model
    RecipeParameters(
            MethodEntry<?> entry,
            JsonNode overall,
            boolean baseNamed,
            FaultSink faults,
            Consumer<String> notes) {
        this.entry = entry;
        this.overall = overall;
        this.baseNamed = baseNamed;
        this.faults = faults;
        this.notes = notes;
        if (!overall.isMissingNode() && !overall.isObject()) {
            fault("parameters", "is no mapping");
        }
        for (Map.Entry<String, JsonNode> given : overall.properties()) {
            if (!overallNames().contains(given.getKey())) {
                unknown("parameters.", given.getKey(), overallNames());
            }
        }
    }

    /// The method with its parameters; null when they are wrong, which is then reported.
    ///
    /// @param selection globs of tensors by the names of their options
    @Nullable MergeMethod method(Map<String, String> selection) {
        entry.fixedKeys().forEach(this::fixed);
        entry.keysWithoutEffect()
                .forEach((key, note) -> {
                    if (overall.has(key)) {
                        notes.accept(note);
                    }
                });
        Map<String, String> options = new TreeMap<>(selection);
        if (entry.base() == BaseRole.OPTIONAL) {
            options.put(
                    SphereCenter.OPTION.name(),
                    (baseNamed ? SphereCenter.BASE : SphereCenter.ZERO).id());
        }
        for (Option<?> option : options()) {
            JsonNode given = overall.path(option.recipeName());
            if (!given.isMissingNode()) {
                options.put(option.name(), text(given));
            } else if (option.required()) {
                fault(
                        "parameters." + option.recipeName(),
                        "is missing, expected " + option.expected());
            }
        }
        try {
            return OptionReader.read(entry, options, true);
        } catch (RefusedException e) {
            for (Fault fault : e.faults()) {
                faults.add(fault.code(), place(fault.where()), fault.sentence());
            }
            return null;
        }
    }

    /// The method's own options, and those it shares with others of its kind.
    private List<Option<?>> options() {
        List<Option<?>> options = new ArrayList<>(entry.options());
        options.addAll(entry.sharedOptions());
        return options;
    }

    private String place(String where) {
        String name = where.substring(where.indexOf('.') + 1);
        return "parameters."
                + options().stream()
                        .filter(option -> option.name().equals(name))
                        .<String>map(Option::recipeName)
                        .findFirst()
                        .orElse(name);
    }

    /// A model's own parameters; what is wrong with them is reported and left out.
    ///
    /// @param isBase whether it is the base model
    SortedMap<String, Setting> ofModel(String place, JsonNode parameters, boolean isBase) {
        if (!parameters.isMissingNode() && !parameters.isObject()) {
            fault(place + ".parameters", "is no mapping");
        }
        for (Map.Entry<String, JsonNode> given : parameters.properties()) {
            if (!modelNames().contains(given.getKey())) {
                unknown(place + ".parameters.", given.getKey(), modelNames());
            }
        }
        SortedMap<String, Setting> settings = new TreeMap<>();
        if (entry.base() == BaseRole.ENDPOINT) {
            position(settings, isBase);
            return settings;
        }
        for (Option<Setting> option : entry.expertOptions()) {
            Setting own = read(place + ".parameters." + option.name(), option, parameters);
            if (option.name().equals(Option.WEIGHT.name())) {
                weight(place, parameters, own, settings);
            } else if (own != null) {
                settings.put(option.name(), own);
            }
        }
        return settings;
    }

    /// As in mergekit a weight has to be stated, for the model or for all.
    private void weight(
            String place,
            JsonNode parameters,
            @Nullable Setting own,
            SortedMap<String, Setting> settings) {
        String name = Option.WEIGHT.name();
        Setting shared = read("parameters." + name, Option.WEIGHT, overall);
        Setting weight = own == null ? shared : shared == null ? own : own.orElse(shared);
        if (!parameters.has(name) && !overall.has(name)) {
            fault(place + ".parameters." + name, "is missing, expected a number");
        } else if (weight != null && !weight.total()) {
            fault(
                    place + ".parameters." + name,
                    "says nothing for tensors that no filter names, expected a last entry without a"
                            + " filter");
        }
        if (weight != null) {
            settings.put(name, weight);
        }
    }

    /// Between two models `t` is the second one's weight, and the rest the base's.
    private void position(SortedMap<String, Setting> settings, boolean isBase) {
        if (!overall.has(POSITION.name())) {
            fault("parameters.t", "is missing, expected " + POSITION.expected());
        }
        Setting position = read("parameters.t", POSITION, overall);
        if (position != null && !position.total()) {
            fault("parameters.t", "says nothing for tensors that no filter names");
        }
        if (position != null) {
            settings.put(Option.WEIGHT.name(), isBase ? position.map(t -> 1 - t) : position);
        }
    }

    private @Nullable Setting read(String place, Option<Setting> option, JsonNode parameters) {
        JsonNode given = parameters.path(option.name());
        if (given.isMissingNode()) {
            return null;
        }
        try {
            return option.parsePartial(text(given));
        } catch (IllegalArgumentException _) {
            fault(place, "was '%s', expected %s".formatted(text(given), option.expected()));
            return null;
        }
    }

    private static String text(JsonNode node) {
        return node.isContainerNode() ? node.toString() : node.asText();
    }

    private void fixed(String key, String value) {
        JsonNode given = overall.path(key);
        if (!given.isMissingNode() && !given.asText().equals(value)) {
            fault(
                    "parameters." + key,
                    "%s is not supported, expected %s".formatted(text(given), value));
        }
    }

    private Set<String> modelNames() {
        Set<String> names = new TreeSet<>();
        if (entry.base() != BaseRole.ENDPOINT) {
            entry.expertOptions().forEach(option -> names.add(option.name()));
        }
        return names;
    }

    private Set<String> overallNames() {
        Set<String> names = modelNames();
        options().forEach(option -> names.add(option.recipeName()));
        names.remove(Passthrough.SLICES.name());
        names.addAll(entry.fixedKeys().keySet());
        names.addAll(entry.keysWithoutEffect().keySet());
        if (entry.base() == BaseRole.ENDPOINT) {
            names.add(POSITION.name());
        }
        if (entry.base() == BaseRole.OPTIONAL) {
            names.remove(SphereCenter.OPTION.name());
        }
        return names;
    }

    private void unknown(String place, String name, Set<String> known) {
        fault(
                place + name,
                known.isEmpty()
                        ? "is not supported: a model takes no parameters in %s"
                                .formatted(entry.recipeId())
                        : "is not supported by %s, expected one of %s"
                                .formatted(entry.recipeId(), String.join(", ", known)));
    }

    private void fault(String place, String sentence) {
        faults.add(FailureCode.BAD_OPTION, place, sentence);
    }
}
