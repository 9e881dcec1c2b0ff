package dev.tributary.models;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What a running model asks of its architecture: how parameters lie in memory, and the forward
/// pass over them.
sealed interface ForwardArchitecture extends Architecture
        permits EncoderArchitecture,
                DecoderArchitecture,
                EncoderDecoderArchitecture,
                VisionArchitecture {

    /// The one a configuration describes.
    static ForwardArchitecture of(ModelConfig config) {
        return switch (config) {
            case EncoderConfig encoder -> new EncoderArchitecture(encoder);
            case DecoderConfig decoder -> new DecoderArchitecture(decoder);
            case EncoderDecoderConfig both -> new EncoderDecoderArchitecture(both);
            case VisionConfig vision -> new VisionArchitecture(vision);
        };
    }

    /// The parameters of the trunk as they lie in memory, those a checkpoint may lack last.
    List<Block> blocks();

    /// The parameters of a classifier for so many labels; none where the family has no such thing.
    default List<Block> classifierBlocks(int labels) {
        return List.of();
    }

    @Override
    default SequencedMap<String, List<Long>> trunk() {
        return Block.shapes(blocks());
    }

    @Override
    default SequencedMap<String, List<Long>> classifier(int labels) {
        return Block.shapes(classifierBlocks(labels));
    }

    @Override
    default Optional<String> labelWeight() {
        return Optional.empty();
    }

    @Override
    default Loader loader() {
        return Loader.SEQUENCE_CLASSIFIER;
    }

    @Override
    default boolean taskSpecific(String canonicalName) {
        return false;
    }

    @Override
    default boolean optional(String canonicalName) {
        return false;
    }

    /// Whether the table of embeddings is read by the tokens of the inputs alone, so that the rows
    /// of other tokens need not be held.
    default boolean readsTokensOnly() {
        return false;
    }

    /// Whether its layers can run over several batches at once where only classifiers differ.
    default boolean packs() {
        return false;
    }

    /// What a norm makes of its input before it is scaled.
    PtNDArray normalised(PtNDArray input);

    /// Whether it puts out embeddings where nothing classifies, and not scores of what follows.
    default boolean embeds() {
        return true;
    }

    /// What is read first to answer prompts; empty where the family generates nothing.
    default Optional<Batch> beginning(Batch prompts) {
        return Optional.empty();
    }

    /// Prompts with answers, as the family reads them.
    ///
    /// @throws IllegalStateException where it generates nothing
    default AnsweredTexts answered(TokenizedTexts prompts, List<long[]> answers) {
        throw new IllegalStateException("a family that generates nothing");
    }

    /// The tokens a weight reads of a batch.
    default Batch readBy(String weight, Batch batch) {
        return batch;
    }

    /// Layers whose keys and values are kept while it generates.
    default int cachedLayers() {
        return 0;
    }

    /// A forward pass.
    ///
    /// @param weights the tensor of a block by the name of its first part
    /// @param manager owns what the pass creates; the caller's scope closes it
    /// @param held the tokens whose embeddings the table holds; null where it holds all
    /// @param tap listens
    ForwardPass forward(
            Function<String, PtNDArray> weights,
            PtNDManager manager,
            @Nullable TokenSubset held,
            LayerTap tap);
}
