package dev.tributary.models;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/// Fills a head that no one has trained yet.
///
/// A layer before a tanh starts as a multiple of the identity small enough for its tanh to be
/// nearly linear: the classifier then sees the first token's state as the encoder left it, where a
/// random layer would first have to be unlearnt. Before a ReLU, which would cut half of that off,
/// it is random.
final class FreshHead {
    private static final double DEVIATION = 0.02;
    private static final float POOLER_SCALE = 1f;

    private FreshHead() {}

    static void fill(Head head, ForwardArchitecture family, long seed) {
        Random random = new Random(seed);
        family.labelWeight().ifPresent(weight -> randomise(head.weights(weight), random));
        if (!(family instanceof EncoderArchitecture architecture)
                || !head.parameters().containsKey(architecture.hiddenWeight())) {
            return;
        }
        MemorySegment hidden = head.weights(architecture.hiddenWeight());
        if (architecture.config().layout() == EncoderLayout.DISTILBERT) {
            randomise(hidden, random);
        } else {
            int width = architecture.config().hidden();
            for (long i = 0; i < width; i++) {
                hidden.setAtIndex(ValueLayout.JAVA_FLOAT, i * width + i, POOLER_SCALE);
            }
        }
    }

    private static void randomise(MemorySegment weight, Random random) {
        long count = weight.byteSize() / Float.BYTES;
        for (long i = 0; i < count; i++) {
            float value = (float) (random.nextGaussian() * DEVIATION);
            weight.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
        }
    }
}
