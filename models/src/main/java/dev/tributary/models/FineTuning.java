package dev.tributary.models;

/// How an expert is made: the settings of one fine-tuning run.
///
/// @param epochs passes over the training examples, at most
/// @param batchSize examples a step
/// @param learningRate of the encoder, at its highest
/// @param headLearningRate of what is new: the classifier, and the pooler where the base has none
/// @param warmupFraction share of the steps over which the rates rise; then they fall to zero
/// @param weightDecay of matrices; vectors are not decayed
/// @param clipNorm gradients longer than this are shortened to it
/// @param patience epochs without a better validation score before it stops
/// @param seed of the order of examples and of what is new
/// @param freezeEmbeddings whether the embeddings stay the base's, so that experts differ in their
///   layers only
/// @param maxExamples training examples used, at most
public record FineTuning(
        int epochs,
        int batchSize,
        double learningRate,
        double headLearningRate,
        double warmupFraction,
        double weightDecay,
        double clipNorm,
        int patience,
        long seed,
        boolean freezeEmbeddings,
        int maxExamples) {

    public FineTuning {
        if (!(epochs > 0
                && batchSize > 0
                && learningRate > 0
                && headLearningRate > 0
                && warmupFraction >= 0
                && warmupFraction <= 1
                && weightDecay >= 0
                && clipNorm > 0
                && patience > 0
                && maxExamples > 0)) {
            throw new IllegalArgumentException(
                    "fine-tuning needs positive settings and a warm-up in [0, 1], was epochs=%d batchSize=%d rates=%s,%s warmup=%s decay=%s clip=%s patience=%d maxExamples=%d"
                            .formatted(
                                    epochs,
                                    batchSize,
                                    learningRate,
                                    headLearningRate,
                                    warmupFraction,
                                    weightDecay,
                                    clipNorm,
                                    patience,
                                    maxExamples));
        }
    }

    /// What suits small encoders and a few thousand examples.
    public static FineTuning defaults() {
        return new FineTuning(3, 32, 8e-5, 1e-3, 0.1, 0.01, 1.0, 2, 17, true, Integer.MAX_VALUE);
    }

    public FineTuning withEpochs(int wanted) {
        return new FineTuning(
                wanted,
                batchSize,
                learningRate,
                headLearningRate,
                warmupFraction,
                weightDecay,
                clipNorm,
                patience,
                seed,
                freezeEmbeddings,
                maxExamples);
    }

    public FineTuning withBatchSize(int wanted) {
        return new FineTuning(
                epochs,
                wanted,
                learningRate,
                headLearningRate,
                warmupFraction,
                weightDecay,
                clipNorm,
                patience,
                seed,
                freezeEmbeddings,
                maxExamples);
    }

    public FineTuning withLearningRates(double encoder, double head) {
        return new FineTuning(
                epochs,
                batchSize,
                encoder,
                head,
                warmupFraction,
                weightDecay,
                clipNorm,
                patience,
                seed,
                freezeEmbeddings,
                maxExamples);
    }

    public FineTuning withSeed(long wanted) {
        return new FineTuning(
                epochs,
                batchSize,
                learningRate,
                headLearningRate,
                warmupFraction,
                weightDecay,
                clipNorm,
                patience,
                wanted,
                freezeEmbeddings,
                maxExamples);
    }

    public FineTuning withFrozenEmbeddings(boolean wanted) {
        return new FineTuning(
                epochs,
                batchSize,
                learningRate,
                headLearningRate,
                warmupFraction,
                weightDecay,
                clipNorm,
                patience,
                seed,
                wanted,
                maxExamples);
    }

    public FineTuning withMaxExamples(int wanted) {
        return new FineTuning(
                epochs,
                batchSize,
                learningRate,
                headLearningRate,
                warmupFraction,
                weightDecay,
                clipNorm,
                patience,
                seed,
                freezeEmbeddings,
                wanted);
    }
}
