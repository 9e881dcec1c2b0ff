package dev.tributary.merging;

import dev.tributary.tensors.TensorInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/// The dimension of a tensor along which there is one row for each token.
///
/// @param shape of the tensor
/// @param index of the dimension
record VocabularyAxis(List<Long> shape, int index) {
    private static final Pattern EMBEDDING =
            Pattern.compile(
                    "(^|\\.)(word_embeddings|embed_tokens|tok_embeddings|embed_in|wte|shared)"
                            + "\\.weight$");
    private static final Pattern OTHERS =
            Pattern.compile(
                    "(^|\\.)(lm_head|embed_out|generator_lm_head|vocab_projector|output)"
                            + "\\.(weight|bias)$"
                            + "|(^|\\.)(lm_head|predictions)\\.(decoder\\.(weight|bias)|bias)$"
                            + "|(^|\\.)pred_layer\\.proj\\.(weight|bias)$"
                            + "|^decoder\\.(weight|bias)$"
                            + "|(^|\\.)final_logits_bias$");

    /// The word embeddings of a model, which say how many rows its vocabulary has: the largest
    /// table of that name.
    static Optional<String> embedding(Map<String, TensorInfo> tensors) {
        return tensors.entrySet().stream()
                .filter(t -> EMBEDDING.matcher(t.getKey()).find())
                .filter(t -> t.getValue().shape().size() == 2)
                .max(
                        Map.Entry.comparingByValue(
                                (a, b) -> Long.compare(a.shape().getFirst(), b.shape().getFirst())))
                .map(Map.Entry::getKey);
    }

    /// The vocabulary's dimension in a tensor, told by the tensor's name.
    static Optional<VocabularyAxis> of(String name, TensorInfo tensor) {
        boolean named = EMBEDDING.matcher(name).find() || OTHERS.matcher(name).find();
        return named && tensor.dtype().floating() ? first(tensor) : Optional.empty();
    }

    /// The same for a tensor of another name that grows with the embeddings from one model to
    /// another.
    static Optional<VocabularyAxis> growing(
            TensorInfo tensor, long rows, TensorInfo other, long otherRows) {
        if (rows == otherRows || !tensor.dtype().floating()) {
            return Optional.empty();
        }
        return first(tensor)
                .filter(axis -> axis.rows() == rows)
                .filter(axis -> axis.rowsOf(other).equals(OptionalLong.of(otherRows)));
    }

    /// The first dimension that is longer than one.
    private static Optional<VocabularyAxis> first(TensorInfo tensor) {
        List<Long> shape = tensor.shape();
        for (int index = 0; index < shape.size(); index++) {
            if (shape.get(index) > 1) {
                return Optional.of(new VocabularyAxis(shape, index))
                        .filter(axis -> axis.columns() > 0);
            }
        }
        return Optional.empty();
    }

    /// How many rows there are.
    long rows() {
        return shape.get(index);
    }

    /// Elements in a row.
    long columns() {
        return shape.subList(index + 1, shape.size()).stream().reduce(1L, Math::multiplyExact);
    }

    /// How many rows another model's tensor has; none where it differs in another dimension.
    OptionalLong rowsOf(TensorInfo other) {
        if (other.shape().size() != shape.size() || !other.dtype().floating()) {
            return OptionalLong.empty();
        }
        long otherRows = other.shape().get(index);
        return withRows(otherRows).equals(other.shape())
                ? OptionalLong.of(otherRows)
                : OptionalLong.empty();
    }

    /// The shape with so many rows.
    List<Long> withRows(long rows) {
        List<Long> other = new ArrayList<>(shape);
        other.set(index, rows);
        return other;
    }
}
