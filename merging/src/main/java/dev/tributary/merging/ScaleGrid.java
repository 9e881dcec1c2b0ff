package dev.tributary.merging;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.Option;
import dev.tributary.merging.method.Setting;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/// The values among which a merge's scale is chosen, and by what: a recipe's `tune`.
///
/// @param option the method's scale
/// @param values from the smallest to the largest, none twice
/// @param score what is to be large
/// @param validationItems at most so many validation examples of each task
public record ScaleGrid(
        Option<Setting> option, List<Double> values, Score score, int validationItems) {

    /// What makes a value better than another: the mean over tasks of so much.
    public enum Score {
        /// The merged model's metric divided by the task's expert's own.
        NORMALIZED("normalized"),
        /// The merged model's metric.
        METRIC("metric");

        private final String id;

        Score(String id) {
            this.id = id;
        }

        /// The word used in recipes and lineage.
        public String id() {
            return id;
        }
    }

    public ScaleGrid {
        values = List.copyOf(new TreeSet<>(values));
        if (values.isEmpty()) {
            throw new IllegalArgumentException("[tune] has no values to choose among");
        }
    }

    /// A method with its scale at each of the values.
    List<MergeMethod> candidates(MergeMethod method) {
        List<MergeMethod> candidates = new ArrayList<>();
        for (double value : values) {
            Map<String, String> options = new TreeMap<>(method.options());
            options.put(option.name(), option.text(Setting.of(value)));
            candidates.add(MergeMethod.of(method.id(), options));
        }
        return candidates;
    }
}
