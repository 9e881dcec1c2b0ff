package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointWriterTest {
    private static final TensorSpec A = new TensorSpec("a", Dtype.F32, List.of(2L));
    private static final TensorSpec B = new TensorSpec("b", Dtype.F32, List.of(1L));

    @TempDir Path folder;

    private Path file() {
        return folder.resolve("model.safetensors");
    }

    private List<String> filesLeft() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(path -> path.getFileName().toString()).toList();
        }
    }

    private static MemorySegment floats(float... values) {
        return MemorySegment.ofArray(values);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bert_cls/model.safetensors",
                "qwen2_bf16_sharded/model-00001-of-00002.safetensors",
                "mixed_dtypes.safetensors"
            })
    void writesTheBytesTheReferenceWriterWrites(String fixture) throws IOException {
        Path original = Fixtures.path(fixture);
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile source = SafetensorsFile.open(original, arena);
            List<TensorSpec> specs =
                    source.header().tensors().values().stream().map(TensorInfo::spec).toList();

            try (CheckpointWriter writer =
                    CheckpointWriter.create(file(), specs, source.header().metadata())) {
                for (TensorInfo tensor : writer.tensors().values()) {
                    writer.write(tensor.name(), source.data(tensor));
                }
                assertThat(writer.finish()).isEqualTo(Digest.of(original));
            }
        }

        assertThat(Files.mismatch(file(), original)).isEqualTo(-1);
    }

    @Test
    void stretchesInAnyOrderGiveTheSameFile() throws IOException {
        Path original = Fixtures.path("mixed_dtypes.safetensors");
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile source = SafetensorsFile.open(original, arena);
            List<TensorSpec> specs =
                    source.header().tensors().values().stream().map(TensorInfo::spec).toList();

            try (CheckpointWriter writer =
                    CheckpointWriter.create(file(), specs, source.header().metadata())) {
                for (TensorInfo tensor : List.copyOf(writer.tensors().values()).reversed()) {
                    MemorySegment bytes = source.data(tensor);
                    long half = bytes.byteSize() / 2;
                    writer.write(tensor.name(), half, bytes.asSlice(half));
                    writer.write(tensor.name(), 0, bytes.asSlice(0, half));
                }
                assertThat(writer.finish()).isEqualTo(Digest.of(original));
            }
        }

        assertThat(Files.mismatch(file(), original)).isEqualTo(-1);
    }

    @Test
    void aStretchThatIsMissingIsNoticed() {
        try (Arena arena = Arena.ofConfined();
                CheckpointWriter writer =
                        CheckpointWriter.create(file(), List.of(A, B), CheckpointWriter.PYTORCH)) {
            writer.write("b", 0, arena.allocate(4));
            writer.write("a", 4, arena.allocate(4));

            assertThatThrownBy(writer::finish).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> writer.write("a", 8, arena.allocate(4)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(file()).doesNotExist();
    }

    @Test
    void theFileAppearsOnlyWhenItIsFinished() throws IOException {
        try (CheckpointWriter writer =
                CheckpointWriter.create(file(), List.of(A), CheckpointWriter.PYTORCH)) {
            writer.write("a", floats(1, 2));
            assertThat(file()).doesNotExist();
            writer.finish();
            assertThat(file()).exists();
        }
        assertThat(filesLeft()).containsExactly("model.safetensors");
    }

    @Test
    void closingAnUnfinishedFileLeavesNothingBehind() throws IOException {
        Files.writeString(file(), "an earlier file");

        try (CheckpointWriter writer =
                CheckpointWriter.create(file(), List.of(A), CheckpointWriter.PYTORCH)) {
            writer.write("a", floats(1));
        }

        assertThat(filesLeft()).containsExactly("model.safetensors");
        assertThat(file()).hasContent("an earlier file");
    }

    @Test
    void anIncompleteFileIsNotFinished() {
        try (CheckpointWriter writer =
                CheckpointWriter.create(file(), List.of(A, B), CheckpointWriter.PYTORCH)) {
            writer.write("a", floats(1, 2));
            assertThatThrownBy(writer::finish)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("1 tensors are not written whole, the first is 'b'");
        }
        assertThat(file()).doesNotExist();
    }

    @Test
    void tensorsComeInTheirOrderAndNoLongerThanTheyAre() {
        try (CheckpointWriter writer =
                CheckpointWriter.create(file(), List.of(B, A), CheckpointWriter.PYTORCH)) {
            assertThat(writer.tensors().sequencedKeySet()).containsExactly("a", "b");
            assertThatThrownBy(() -> writer.write("b", floats(1)))
                    .hasMessageContaining("tensor 'b' was written where 'a' was due");
            writer.write("a", floats(1));
            assertThatThrownBy(() -> writer.write("b", floats(1)))
                    .hasMessageContaining("'a' was due");
            assertThatThrownBy(() -> writer.write("a", floats(1, 2)))
                    .hasMessageContaining("has 8 bytes, but 12 were written");
            writer.write("a", floats(2));
            writer.write("b", floats(3));
            assertThatThrownBy(() -> writer.write("b", floats(3)))
                    .hasMessageContaining("where nothing more was due");
            writer.finish();
        }
    }

    @Test
    void emptyTensorsNeedNoBytes() {
        TensorSpec none = new TensorSpec("none", Dtype.F32, List.of(0L, 5L));
        TensorSpec scalar = new TensorSpec("scalar", Dtype.F32, List.of());
        try (CheckpointWriter writer =
                        CheckpointWriter.create(
                                file(), List.of(none, scalar), CheckpointWriter.PYTORCH);
                Arena arena = Arena.ofConfined()) {
            writer.write("scalar", floats(7));
            writer.finish();

            SafetensorsHeader header = SafetensorsFile.open(file(), arena).header();
            assertThat(header.tensors().get("none"))
                    .isEqualTo(new TensorInfo("none", Dtype.F32, List.of(0L, 5L), 0, 0));
            assertThat(header.tensors().get("scalar"))
                    .isEqualTo(new TensorInfo("scalar", Dtype.F32, List.of(), 0, 4));
        }
    }

    @Test
    void everyDtypeMakesTheRoundTripInTheReferencesOrder() {
        List<TensorSpec> specs =
                Stream.of(Dtype.values())
                        .map(dtype -> new TensorSpec(dtype.name(), dtype, List.of(3L)))
                        .toList();
        try (CheckpointWriter writer =
                        CheckpointWriter.create(file(), specs, Map.of("format", "pt", "a", "b"));
                Arena arena = Arena.ofConfined()) {
            assertThat(writer.tensors().keySet())
                    .containsExactly(
                            "U64", "I64", "F64", "F32", "U32", "I32", "BF16", "F16", "U16", "I16",
                            "I8", "U8", "BOOL");
            for (TensorInfo tensor : writer.tensors().values()) {
                byte[] bytes = new byte[(int) tensor.bytes()];
                bytes[0] = (byte) tensor.begin();
                writer.write(tensor.name(), MemorySegment.ofArray(bytes));
            }
            writer.finish();

            SafetensorsFile read = SafetensorsFile.open(file(), arena);
            assertThat(read.header().metadata()).containsOnlyKeys("format", "a");
            assertThat(read.header().tensors())
                    .containsExactlyInAnyOrderEntriesOf(writer.tensors());
        }
    }

    @Test
    void theHeaderIsPaddedToEightBytes() throws IOException {
        for (String name : List.of("a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg")) {
            TensorSpec spec = new TensorSpec(name, Dtype.U8, List.of(1L));
            try (CheckpointWriter writer =
                    CheckpointWriter.create(file(), List.of(spec), CheckpointWriter.PYTORCH)) {
                writer.write(name, MemorySegment.ofArray(new byte[1]));
                writer.finish();
            }
            assertThat((Files.size(file()) - 1) % 8).isZero();
        }
    }

    @Test
    void aTensorListedTwiceIsRefused() {
        assertThatThrownBy(() ->
                        CheckpointWriter.create(file(), List.of(A, A), CheckpointWriter.PYTORCH))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'a' is listed twice");
    }
}
