package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {
    @TempDir Path folder;

    private Path write(String header, byte... data) throws IOException {
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"bert\"}");
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes =
                ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json).put(data);
        return Files.write(folder.resolve("model.safetensors"), bytes.array());
    }

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
            assertThat(checkpoint.data("ids").get(ValueLayout.JAVA_LONG_UNALIGNED, 0)).isEqualTo(7);
        }
    }

    @Test
    void readsAFileOfTheReferenceWriter() {
        try (Checkpoint checkpoint = Checkpoint.open(Fixtures.path("bert_cls"))) {
            assertThat(checkpoint.tensors()).hasSize(41);
            assertThat(checkpoint.tensors().get("classifier.weight"))
                    .isEqualTo(
                            new TensorInfo(
                                    "classifier.weight",
                                    Dtype.F32,
                                    List.of(3L, 32L),
                                    103_820,
                                    104_204));
            assertThat(
                            checkpoint.tensors().keySet().stream()
                                    .filter(name -> checkpoint.firstNonFinite(name).isPresent()))
                    .isEmpty();
        }
    }

    @Test
    void readsShardsAsOneCheckpoint() {
        try (Checkpoint checkpoint = Checkpoint.open(Fixtures.path("qwen2_bf16_sharded"))) {
            long bytes = checkpoint.tensors().values().stream().mapToLong(TensorInfo::bytes).sum();
            assertThat(bytes).isEqualTo(93_792); // the total_size of the index
            assertThat(checkpoint.tensors().values())
                    .allSatisfy(tensor -> assertThat(tensor.dtype()).isEqualTo(Dtype.BF16));
            for (String name : checkpoint.tensors().keySet()) {
                assertThat(checkpoint.firstNonFinite(name)).isEmpty();
            }
        }
    }

    @Test
    void readsRegionsBeyondFourGigabytes() throws IOException {
        long elements = (5L << 30) / Float.BYTES;
        String header =
                "{\"big\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[0,%d]}}"
                        .formatted(elements, 5L << 30);
        Path file = write(header);
        long start = Files.size(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            ByteBuffer last = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
            channel.write(last.putFloat(0, 42), start + (5L << 30) - 4); // the rest is a hole
        }

        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            float[] end = new float[2];
            checkpoint.readFloats("big", elements - 2, MemorySegment.ofArray(end));
            assertThat(end).containsExactly(0, 42);
            assertThat(checkpoint.data("big").byteSize()).isEqualTo(5L << 30);
        }
    }

    @Test
    void readsTensorsThatAreNotAlignedToTheirElements() throws IOException {
        write(
                "{\"odd\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"f\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,5]}}",
                new byte[] {9, 0, 0, (byte) 0x80, 0x3f});

        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            float[] one = new float[1];
            checkpoint.readFloats("f", 0, MemorySegment.ofArray(one));
            assertThat(one).containsExactly(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {" ", "\n", "\t\r\n  ", "                "})
    void blanksBeforeTheHeaderAreAccepted(String blanks) throws IOException {
        write(
                blanks + "{\"x\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}  ",
                (byte) 1);

        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.tensors()).containsOnlyKeys("x");
        }
    }

    @Test
    void tensorsMayBeListedInAnyOrderAndBeEmpty() throws IOException {
        write(
                "{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]},"
                        + "\"none\":{\"dtype\":\"F64\",\"shape\":[0,7],\"data_offsets\":[1,1]},"
                        + "\"a\":{\"data_offsets\":[0,1],\"shape\":[1,1,1],\"dtype\":\"BOOL\"}}",
                (byte) 1,
                (byte) 2,
                (byte) 3);

        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.tensors().sequencedKeySet()).containsExactly("a", "b", "none");
            assertThat(checkpoint.data("b").toArray(ValueLayout.JAVA_BYTE)).containsExactly(2, 3);
            assertThat(checkpoint.data("none").byteSize()).isZero();
        }
    }

    @Test
    void aFileWithoutTensorsIsAnEmptyCheckpoint() throws IOException {
        write("{\"__metadata__\":{\"format\":\"pt\"}}");

        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.tensors()).isEmpty();
        }
    }

    /// A length of 640 has the bytes a pickle begins with.
    @Test
    void aHeaderLengthThatLooksLikeAPickleIsNoPickle() throws IOException {
        String header = "{\"x\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}";
        write(header + " ".repeat(640 - header.length()), (byte) 1);

        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.tensors()).containsOnlyKeys("x");
        }
    }

    @Test
    void readsASnapshotOfTheHubsCacheWhoseFilesAreLinksToItsBlobs() throws IOException {
        Path blobs = Files.createDirectories(folder.resolve("models--a--b/blobs"));
        Path snapshot = Files.createDirectories(folder.resolve("models--a--b/snapshots/1234"));
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(Fixtures.path("bert_cls").resolve(name), blobs.resolve("blob-" + name));
            Files.createSymbolicLink(
                    snapshot.resolve(name), Path.of("..", "..", "blobs", "blob-" + name));
        }

        try (Checkpoint checkpoint = Checkpoint.open(snapshot)) {
            assertThat(checkpoint.tensors()).hasSize(41);
        }
    }

    @Test
    void readsALinkToAFileInTheSameFolder() throws IOException {
        Path file = write("{}");
        Files.move(file, folder.resolve("real.safetensors"));
        Files.createSymbolicLink(file, Path.of("real.safetensors"));

        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.tensors()).isEmpty();
        }
    }

    @Test
    void anUnknownTensorIsRefusedByName() throws IOException {
        write("{}");

        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThatThrownBy(() -> checkpoint.data("absent"))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("has no tensor 'absent'");
        }
    }

    @Test
    void aMissingFolderIsRefused() {
        assertThatThrownBy(() -> Checkpoint.open(folder.resolve("absent")))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("no such folder");
    }

    @Test
    void memoryIsReadOnlyAndDeadAfterClose() throws IOException {
        write("{\"x\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", (byte) 1);
        MemorySegment bytes;
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            bytes = checkpoint.data("x");
            assertThat(bytes.isReadOnly()).isTrue();
        }
        assertThat(bytes.scope().isAlive()).isFalse();
    }
}
