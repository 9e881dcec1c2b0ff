package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.pytorch.jni.JniUtils;
import dev.tributary.tensors.Checkpoint;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// On a model of real size: the small ones of other tests are not worth a second thread.
class ThreadCountTest {
    private static final int ROWS = 16;
    private static final int LENGTH = 57;
    private static final int FIRST_WORD = 1000;
    private static final int WORDS = 20_000;

    @TempDir Path folder;

    private int before;

    @BeforeEach
    void remember() {
        before = TorchEngine.threads();
    }

    @AfterEach
    void restore() {
        JniUtils.setNumThreads(before);
    }

    @Test
    void outputsAndEveryGradientAreTheSameBitsForAnyNumberOfThreads() {
        try (Checkpoint checkpoint = Checkpoint.open(MiniLm.extractTo(folder));
                RunningModel model = RunningModel.open(checkpoint)) {
            model.train(model.parameters().keySet());
            Map<String, float[]> alone = numbers(model, 1);

            for (int threads : new int[] {2, 3, 4}) {
                numbers(model, threads)
                        .forEach((name, values) ->
                                assertThat(Arrays.equals(values, alone.get(name)))
                                        .as("%s on %d threads", name, threads)
                                        .isTrue());
            }
        }
    }

    private static Map<String, float[]> numbers(RunningModel model, int threads) {
        JniUtils.setNumThreads(threads);
        model.zeroGradients();
        Map<String, float[]> numbers = new TreeMap<>();
        model.backward(
                null,
                batch(),
                (outputs, rows, columns, gradient) -> {
                    numbers.put("outputs", Arrays.copyOf(outputs, rows * columns));
                    for (int i = 0; i < rows * columns; i++) {
                        gradient[i] = (float) Math.sin(i);
                    }
                    return 0;
                });
        for (String name : model.parameters().keySet()) {
            numbers.put(name, model.gradient(name).toArray(ValueLayout.JAVA_FLOAT));
        }
        return numbers;
    }

    private static Batch batch() {
        Random random = new Random(7);
        long[] ids = random.longs((long) ROWS * LENGTH, FIRST_WORD, FIRST_WORD + WORDS).toArray();
        long[] mask = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            mask[i] = i % LENGTH < LENGTH - i / LENGTH ? 1 : 0;
        }
        return new Batch(ROWS, LENGTH, ids, mask, new long[ids.length]);
    }
}
