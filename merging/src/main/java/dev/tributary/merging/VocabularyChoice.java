package dev.tributary.merging;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Which tokens a merged model has, where its models' tokens differ.
///
/// @param model folder of the model whose tokens they are; null unless that is what was chosen
/// @param padToMultipleOf what the number of rows is rounded up to a multiple of; 1 for no rounding
public record VocabularyChoice(Source source, @Nullable Path model, int padToMultipleOf) {

    /// Whose tokens the merged model has.
    public enum Source {
        /// The base's.
        BASE,
        /// The base's, and those of every expert that it lacks.
        UNION,
        /// Those of one of the models.
        MODEL
    }

    public VocabularyChoice {
        if (padToMultipleOf < 1 || (source == Source.MODEL) != (model != null)) {
            throw new IllegalArgumentException("[vocabulary] contradicts itself");
        }
    }

    /// The base's tokens, its rows as they are.
    public static VocabularyChoice ofBase() {
        return new VocabularyChoice(Source.BASE, null, 1);
    }

    /// The tokens of all models.
    public static VocabularyChoice ofUnion() {
        return new VocabularyChoice(Source.UNION, null, 1);
    }

    /// The tokens of one model.
    public static VocabularyChoice ofModel(Path folder) {
        return new VocabularyChoice(Source.MODEL, folder, 1);
    }

    /// The same with rows up to a multiple of a number.
    public VocabularyChoice paddedTo(int multiple) {
        return new VocabularyChoice(source, model, multiple);
    }

    /// As a recipe says it; a folder by its last part.
    String text() {
        String name =
                switch (source) {
                    case BASE -> "base";
                    case UNION -> "union";
                    case MODEL ->
                            Optional.ofNullable(model).map(RecipePaths::lastPart).orElseThrow();
                };
        return padToMultipleOf == 1
                ? name
                : "%s, rows a multiple of %d".formatted(name, padToMultipleOf);
    }

    long padded(long rows) {
        return Math.multiplyExact(Math.ceilDiv(rows, (long) padToMultipleOf), padToMultipleOf);
    }
}
