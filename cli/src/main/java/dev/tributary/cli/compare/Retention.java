package dev.tributary.cli.compare;

import dev.tributary.models.Scores;
import java.util.ArrayList;
import java.util.List;

/// A score divided by the expert's own on the same test items.
///
/// @param influences how much each item moves it, up or down; their mean square divided by their
///   number is the variance over draws of items
record Retention(double value, List<Float> influences) {

    Retention {
        influences = List.copyOf(influences);
    }

    /// By the delta method: an item moves both scores at once.
    static Retention of(Scores merged, Scores expert) {
        double value = merged.value() / expert.value();
        double[] ofMerged = merged.influences();
        double[] ofExpert = expert.influences();
        List<Float> influences = new ArrayList<>();
        for (int i = 0; i < ofMerged.length; i++) {
            influences.add((float) ((ofMerged[i] - value * ofExpert[i]) / expert.value()));
        }
        return new Retention(value, influences);
    }
}
