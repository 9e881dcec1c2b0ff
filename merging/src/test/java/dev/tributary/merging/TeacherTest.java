package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.merging.method.Divergence;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Teachers that keep an expert's most likely outcomes one by one and all others as one.
class TeacherTest {
    private static final int LABELS = 40;
    private static final int LEADING = 6;

    private static float[] logits(int seed) {
        Random random = new Random(seed);
        float[] logits = new float[LABELS];
        for (int i = 0; i < LABELS; i++) {
            logits[i] = (float) (2 * random.nextGaussian());
        }
        return logits;
    }

    private static Teacher teacher(float[] logits, int leading) {
        Teacher.Recorder recorder = new Teacher.Recorder(1, leading);
        recorder.add(0, logits, 0, LABELS);
        return recorder.teacher();
    }

    /// The loss of a merged model's logits, and its gradient by them.
    private static double loss(
            Teacher teacher, Divergence divergence, float[] merged, double[] gradient) {
        double[] expert = new double[teacher.outcomes()];
        double[] all = new double[LABELS];
        double[] together = new double[teacher.outcomes()];
        double[] slope = new double[teacher.outcomes()];
        teacher.logProbabilities(0, expert);
        Divergence.logSoftmax(merged, 0, LABELS, all);
        teacher.together(0, all, together);
        double loss = divergence.between(expert, together, teacher.outcomes(), slope);
        teacher.spread(0, slope, all, together, gradient);
        return loss;
    }

    @ParameterizedTest
    @EnumSource(Divergence.class)
    void theGradientIsThatOfTheLossOverOutcomesTakenTogether(Divergence divergence) {
        Teacher teacher = teacher(logits(1), LEADING);
        float[] merged = logits(2);
        double[] gradient = new double[LABELS];
        loss(teacher, divergence, merged, gradient);
        for (int i = 0; i < LABELS; i++) {
            float step = 1f / 256;
            float[] more = merged.clone();
            float[] less = merged.clone();
            more[i] += step;
            less[i] -= step;
            double difference =
                    loss(teacher, divergence, more, new double[LABELS])
                            - loss(teacher, divergence, less, new double[LABELS]);
            assertThat(gradient[i]).isCloseTo(difference / (more[i] - less[i]), within(1e-5));
        }
        assertThat(Arrays.stream(gradient).sum()).isCloseTo(0, within(1e-6));
    }

    @Test
    void whatIsLostIsNoMoreThanTheOthersShareTimesLogTwo() {
        for (int seed = 0; seed < 200; seed++) {
            float[] expert = logits(seed);
            float[] merged = logits(seed + 1000);
            Teacher few = teacher(expert, LEADING);
            double whole = loss(teacher(expert, 0), Divergence.JS, merged, new double[LABELS]);
            double coarse = loss(few, Divergence.JS, merged, new double[LABELS]);

            double[] expertShare = new double[few.outcomes()];
            double[] mergedShare = new double[few.outcomes()];
            double[] all = new double[LABELS];
            Divergence.logSoftmax(merged, 0, LABELS, all);
            few.logProbabilities(0, expertShare);
            few.together(0, all, mergedShare);
            double others = (Math.exp(expertShare[LEADING]) + Math.exp(mergedShare[LEADING])) / 2;

            assertThat(coarse).isLessThanOrEqualTo(whole + 1e-6);
            assertThat(whole - coarse).isLessThanOrEqualTo(others * Math.log(2) + 1e-6);
        }
    }

    @Test
    void whereThereAreNoMoreOutcomesTheyAreKeptWhole() {
        float[] logits = logits(3);
        assertThat(teacher(logits, LABELS).leading()).isZero();
        assertThat(teacher(logits, LABELS).values().toArray(ValueLayout.JAVA_FLOAT))
                .isEqualTo(logits);
        assertThat(teacher(logits, LABELS - 1).leading()).isEqualTo(LABELS - 1);
    }

    @Test
    void leadingOutcomesAreKeptBetweenRuns(@TempDir Path folder) {
        var key =
                new TeacherCache.Key(
                        digest("e"), digest("b"), digest("i"), digest("t"), 8, LEADING);
        Teacher kept = teacher(logits(4), LEADING).answering(List.of(new long[] {17}));
        new TeacherCache(folder).keep(key, kept);
        Teacher found = new TeacherCache(folder).find(key).orElseThrow();

        assertThat(found.values().mismatch(kept.values())).isEqualTo(-1);
        assertThat(found.ids()).isEqualTo(kept.ids()).isSorted();
        assertThat(found.labels()).isEqualTo(LABELS);
        assertThat(found.leading()).isEqualTo(LEADING);
        assertThat(found.answers()).containsExactly(new long[] {17});
    }

    private static dev.tributary.tensors.Digest digest(String text) {
        return dev.tributary.tensors.Digest.ofText(text);
    }
}
