package dev.tributary.models;

import ai.djl.pytorch.engine.PtNDArray;
import java.util.List;

/// A model's forward pass over a batch.
interface ForwardPass {
    /// What the model puts out, one row a text or one row a token asked for.
    ///
    /// @param classifies whether there is a classifier; without one an encoder puts out embeddings
    PtNDArray outputs(Batch batch, boolean classifies);

    /// What several batches put out, each through the classifier of its own pass. The layers before
    /// it are this pass's and run over the tokens of all.
    ///
    /// @param classifiers one for each batch
    /// @throws IllegalStateException unless [ForwardArchitecture#packs]
    default List<PtNDArray> outputs(List<Batch> batches, List<? extends ForwardPass> classifiers) {
        throw new IllegalStateException("a family that reads one batch at a time");
    }

    /// Runs every layer on every token, as those who listen expect.
    ///
    /// @param pooler whether there is one to run, too
    void everyToken(Batch batch, boolean pooler);

    /// The embeddings' output and each layer's, `[rows, length, hidden]`, as `transformers` gives
    /// them out.
    List<PtNDArray> hiddenStates(Batch batch);

    /// The scores of the token that follows each row.
    ///
    /// @param prompts what is answered
    /// @param latest what has come since the last step; at first [ForwardArchitecture#beginning]
    /// @param cache what was seen before
    default PtNDArray next(Batch prompts, Batch latest, DecoderCache cache) {
        throw new IllegalStateException("a family that generates nothing");
    }
}
