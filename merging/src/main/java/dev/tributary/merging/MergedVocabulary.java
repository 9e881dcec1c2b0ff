package dev.tributary.merging;

import dev.tributary.models.Vocabulary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The tokens of a merged model: those of one model, and behind them those that others have
/// besides.
final class MergedVocabulary {
    private final Vocabulary first;
    private final List<VocabularyPlan.Added> added;
    private final Map<String, Integer> addedIds = new HashMap<>();

    private MergedVocabulary(Vocabulary first, List<VocabularyPlan.Added> added) {
        this.first = first;
        this.added = List.copyOf(added);
        added.forEach(token -> addedIds.put(token.token(), token.id()));
    }

    /// One model's tokens.
    static MergedVocabulary of(Vocabulary tokens) {
        return new MergedVocabulary(tokens, List.of());
    }

    /// The base's tokens with their ids, and every other model's besides, model by model in the
    /// order of their ids, from the first id that is free.
    ///
    /// @param rows of each of the others: a token without a row is none of its tokens
    static MergedVocabulary union(Vocabulary base, List<Vocabulary> others, List<Long> rows) {
        List<VocabularyPlan.Added> added = new ArrayList<>();
        Map<String, Integer> known = new HashMap<>();
        for (int m = 0; m < others.size(); m++) {
            Vocabulary other = others.get(m);
            for (int id = 0; id < Math.min(other.size(), rows.get(m)); id++) {
                String token = other.token(id);
                if (token != null && base.id(token) < 0 && !known.containsKey(token)) {
                    int next = base.size() + added.size();
                    known.put(token, next);
                    added.add(new VocabularyPlan.Added(token, next, other.added(token)));
                }
            }
        }
        return new MergedVocabulary(base, added);
    }

    List<VocabularyPlan.Added> added() {
        return added;
    }

    boolean has(String token) {
        return first.id(token) >= 0 || addedIds.containsKey(token);
    }

    /// How many tokens there are.
    int tokens() {
        int count = added.size();
        for (int id = 0; id < first.size(); id++) {
            count += first.token(id) == null ? 0 : 1;
        }
        return count;
    }

    /// One more than the largest id.
    int tokensEnd() {
        return first.size() + added.size();
    }

    private @Nullable String token(int id) {
        int behind = id - first.size();
        return behind >= 0 && behind < added.size() ? added.get(behind).token() : first.token(id);
    }

    /// By row of a merged tensor the row of a model that belongs to the same token, or, for rows
    /// without a token, to none either; negative where the model has no such row.
    ///
    /// @param rows how many rows the model has
    /// @param height how many rows the merged tensor has
    int[] rowsIn(Vocabulary model, long rows, int height) {
        int[] places = new int[height];
        Arrays.fill(places, -1);
        for (int row = 0; row < height; row++) {
            String token = token(row);
            int place = token != null ? model.id(token) : model.token(row) == null ? row : -1;
            places[row] = place < rows ? place : -1;
        }
        return places;
    }
}
