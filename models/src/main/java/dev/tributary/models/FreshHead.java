package dev.tributary.models;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/// Fills a head that no one has trained yet.
///
/// The pooler starts as a multiple of the identity small enough for its tanh to be nearly linear:
/// the classifier then sees the first token's state as the encoder left it, where a random pooler
/// would first have to be unlearnt.
final class FreshHead {
    private static final double CLASSIFIER_DEVIATION = 0.02;
    private static final float POOLER_SCALE = 1f;

    private FreshHead() {}

    static void fill(Head head, long seed) {
        Random random = new Random(seed);
        MemorySegment classifier = head.weights(BertArchitecture.CLASSIFIER_WEIGHT);
        long count = classifier.byteSize() / Float.BYTES;
        for (long i = 0; i < count; i++) {
            float value = (float) (random.nextGaussian() * CLASSIFIER_DEVIATION);
            classifier.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
        }
        if (head.parameters().containsKey(BertArchitecture.POOLER_WEIGHT)) {
            MemorySegment pooler = head.weights(BertArchitecture.POOLER_WEIGHT);
            long width = head.weights(BertArchitecture.POOLER_BIAS).byteSize() / Float.BYTES;
            for (long i = 0; i < width; i++) {
                pooler.setAtIndex(ValueLayout.JAVA_FLOAT, i * width + i, POOLER_SCALE);
            }
        }
    }
}
