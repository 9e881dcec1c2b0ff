package dev.tributary.merging.method;

import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Reads a method's options from text and lists everything that is wrong with them at once.
public final class OptionReader {
    /// Option of every method: globs of the tensors that are merged.
    public static final String INCLUDE = "include";

    /// Option of every method: globs of the tensors that stay as they are in the base.
    public static final String EXCLUDE = "exclude";

    private final MethodEntry<?> entry;
    private final Map<String, String> left;
    private final List<Fault> faults = new ArrayList<>();

    private OptionReader(MethodEntry<?> entry, Map<String, String> options) {
        this.entry = entry;
        this.left = new TreeMap<>(options);
    }

    static MergeMethod read(String id, Map<String, String> options) {
        MethodEntry<?> entry =
                MethodCatalogue.find(id)
                        .orElseThrow(() ->
                                new RefusedException(
                                        new Fault(
                                                FailureCode.UNKNOWN_METHOD,
                                                "method",
                                                "'%s' is no merge method, expected one of %s"
                                                        .formatted(
                                                                id,
                                                                String.join(
                                                                        ", ",
                                                                        MethodCatalogue.ids())))));
        return read(entry, options, false);
    }

    /// Reads options; one left out has the default of pools or of recipes.
    ///
    /// @throws RefusedException with every bad option at once
    public static MergeMethod read(
            MethodEntry<?> entry, Map<String, String> options, boolean recipeDefaults) {
        return new OptionReader(entry, options).read(recipeDefaults);
    }

    private MergeMethod read(boolean recipeDefaults) {
        OptionValues values = new OptionValues();
        for (Option<?> option : entry.options()) {
            put(option, values, recipeDefaults);
        }
        TensorSelection selection = selection();
        TrustRegion region = trustRegion(recipeDefaults);
        for (String name : left.keySet()) {
            fault(
                    name,
                    "is no option of %s, expected one of %s"
                            .formatted(entry.id(), String.join(", ", names())));
        }
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        MergeMethod method;
        try {
            method = entry.build(values);
        } catch (IllegalArgumentException e) {
            throw new RefusedException(
                    new Fault(FailureCode.BAD_OPTION, entry.id(), String.valueOf(e.getMessage())),
                    e);
        }
        return selection.equals(TensorSelection.ALL) && !region.leavesOut()
                ? method
                : new Selective(method, selection, region);
    }

    private TensorSelection selection() {
        TensorSelection selection =
                new TensorSelection(
                        TensorSelection.globs(left.getOrDefault(INCLUDE, "")),
                        TensorSelection.globs(left.getOrDefault(EXCLUDE, "")));
        left.remove(INCLUDE);
        left.remove(EXCLUDE);
        return selection;
    }

    private TrustRegion trustRegion(boolean recipeDefaults) {
        if (!entry.takesTrustRegion()) {
            return TrustRegion.EVERYWHERE;
        }
        boolean drawn = left.containsKey(TrustRegion.SENSITIVITY.name());
        OptionValues values = new OptionValues();
        for (Option<?> option : TrustRegion.options()) {
            if (!drawn && left.containsKey(option.name())) {
                fault(
                        option.name(),
                        "is stated without %s, expected both: there is no region to state it of"
                                .formatted(TrustRegion.SENSITIVITY.name()));
            }
            put(option, values, recipeDefaults);
        }
        return TrustRegion.of(values);
    }

    private <T> void put(Option<T> option, OptionValues values, boolean recipeDefaults) {
        T otherwise = recipeDefaults ? option.recipeDefault() : option.poolDefault();
        String text = left.remove(option.name());
        T value = otherwise;
        if (text != null) {
            try {
                value = option.parse(text);
            } catch (IllegalArgumentException _) {
                fault(option.name(), "was '%s', expected %s".formatted(text, option.expected()));
            }
        }
        values.put(option, value);
    }

    private List<String> names() {
        List<String> names = new ArrayList<>();
        entry.options().forEach(option -> names.add(option.name()));
        entry.sharedOptions().forEach(option -> names.add(option.name()));
        names.add(INCLUDE);
        names.add(EXCLUDE);
        return names;
    }

    private void fault(String option, String sentence) {
        faults.add(new Fault(FailureCode.BAD_OPTION, entry.id() + "." + option, sentence));
    }
}
