package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.TensorInfo;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxBertExtractorTest {
    @TempDir static Path scratch;
    static Path miniLm;

    @BeforeAll
    static void extract() {
        miniLm = MiniLm.extractTo(scratch.resolve("minilm"));
    }

    @Test
    void everyWeightOfTheEncoderComesOutUnderItsName() {
        try (Checkpoint checkpoint = Checkpoint.open(miniLm)) {
            EncoderConfig config =
                    (EncoderConfig) ModelConfig.of(checkpoint.config(), "config.json");

            assertThat(checkpoint.tensors()).hasSize(101);
            assertThat(checkpoint.tensors().values().stream().mapToLong(TensorInfo::elements).sum())
                    .isEqualTo(22_565_376);
            assertThat(config.layers()).isEqualTo(6);
            assertThat(config.hidden()).isEqualTo(384);
            assertThat(config.intermediate()).isEqualTo(1536);
            assertThat(config.vocabulary()).isEqualTo(30522);
            assertThat(config.maxPositions()).isEqualTo(512);
            assertThat(config.labels()).isEmpty();
        }
        assertThat(miniLm).isDirectoryNotContaining("glob:**.partial");
    }

    @Test
    void sentencesOfOneMeaningLieCloserThanUnrelatedOnes() {
        List<Example> sentences =
                List.of(
                        new Example("A man is playing a guitar on the stage.", null, null),
                        new Example("Someone performs guitar music at a concert.", null, null),
                        new Example("The central bank raised interest rates again.", null, null),
                        new Example("Monetary policy was tightened once more.", null, null));
        try (Checkpoint checkpoint = Checkpoint.open(miniLm);
                RunningModel model = RunningModel.open(checkpoint);
                TextTokenizer tokenizer = TextTokenizer.open(miniLm)) {
            Outputs outputs = model.forward(tokenizer.encode(sentences, 64));

            assertThat(outputs.kind()).isEqualTo(Outputs.Kind.EMBEDDINGS);
            assertThat(cosine(outputs, 0, 1)).isGreaterThan(0.6);
            assertThat(cosine(outputs, 2, 3)).isGreaterThan(0.45);
            assertThat(cosine(outputs, 0, 2)).isLessThan(0.15);
            assertThat(cosine(outputs, 1, 3)).isLessThan(0.15);
        }
    }

    private static double cosine(Outputs outputs, int one, int other) {
        float[] a = row(outputs, one);
        float[] b = row(outputs, other);
        double dot = 0;
        double squaresOfA = 0;
        double squaresOfB = 0;
        for (int i = 0; i < a.length; i++) {
            dot += a[i] * b[i];
            squaresOfA += a[i] * a[i];
            squaresOfB += b[i] * b[i];
        }
        return dot / Math.sqrt(squaresOfA * squaresOfB);
    }

    private static float[] row(Outputs outputs, int row) {
        int start = row * outputs.columns();
        return Arrays.copyOfRange(outputs.values(), start, start + outputs.columns());
    }
}
