package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
    @TempDir Path folder;

    @Test
    void readsWhatTheWriterWrote() throws IOException {
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"bert\"}");
        Path file = folder.resolve("model.safetensors");
        Digest digest;
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        file,
                        List.of(
                                new TensorSpec("ids", Dtype.I64, List.of(1L)),
                                new TensorSpec("weight", Dtype.F32, List.of(2L, 2L))),
                        CheckpointWriter.PYTORCH)) {
            writer.write("ids", MemorySegment.ofArray(new long[] {7}));
            writer.write("weight", MemorySegment.ofArray(new float[] {1, 2}));
            writer.write("weight", MemorySegment.ofArray(new float[] {3, Float.NaN}));
            digest = writer.finish();
        }

        assertThat(digest).isEqualTo(Digest.of(file));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            float[] values = new float[3];
            checkpoint.readFloats("weight", 1, MemorySegment.ofArray(values));
            assertThat(checkpoint.config().get("model_type").asText()).isEqualTo("bert");
            assertThat(checkpoint.tensors().sequencedKeySet()).containsExactly("ids", "weight");
            assertThat(values).containsExactly(2, 3, Float.NaN);
            assertThat(checkpoint.firstNonFinite("weight")).contains(new NonFinite(3, 1));
            assertThat(checkpoint.firstNonFinite("ids")).isEmpty();
        }
    }
}
