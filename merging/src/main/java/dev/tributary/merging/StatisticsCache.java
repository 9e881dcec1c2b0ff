package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.merging.method.Statistic;
import dev.tributary.models.HeldStretch;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.TensorInfo;
import dev.tributary.tensors.TensorSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Keeps what was summed up over experts' forward and backward passes, so that each expert runs
/// once for as long as it is in its pool, and a merge with one more runs that one only.
///
/// An entry is a folder with one safetensors file, found by what it was computed from: the
/// statistic, the expert, the base, the inputs with their labels, the tokenizer, the length limit
/// and the version of the code. It is written aside and renamed, and knows its file's digest: a
/// damaged one counts as absent.
final class StatisticsCache {
    /// Changes whenever sums may come out differently.
    private static final int CODE_VERSION = 3;

    private static final int BLOCK = 1 << 16;
    private static final String FILE = "model.safetensors";
    private static final String CONFIG = "config.json";

    private final Path folder;

    StatisticsCache(Path cacheFolder) {
        this.folder = cacheFolder.resolve("statistics");
    }

    /// What an entry was computed from.
    ///
    /// @param inputs digest of the inputs and of their labels
    record Key(
            Statistic statistic,
            Digest expert,
            Digest base,
            Digest inputs,
            Digest tokenizer,
            int maxTokens) {

        String folderName() {
            return Digest.ofText(
                            "%s\n%s\n%s\n%s\n%s\n%d\n%d"
                                    .formatted(
                                            statistic.name().toLowerCase(Locale.ROOT),
                                            expert,
                                            base,
                                            inputs,
                                            tokenizer,
                                            maxTokens,
                                            CODE_VERSION))
                    .hex();
        }
    }

    /// An entry, mapped into memory.
    ///
    /// @param stored by canonical name
    record Entry(Checkpoint file, Map<String, Stored> stored) implements AutoCloseable {
        /// Where a tensor's values lie, and over how much they were taken.
        record Stored(String name, long count) {}

        Optional<MemorySegment> values(String canonicalName) {
            return Optional.ofNullable(stored.get(canonicalName)).map(s -> file.data(s.name()));
        }

        long count(String canonicalName) {
            Stored found = stored.get(canonicalName);
            return found == null ? 0 : found.count();
        }

        @Override
        public void close() {
            file.close();
        }
    }

    /// An entry that is whole; the caller closes it.
    Optional<Entry> find(Key key) {
        Path entry = folder.resolve(key.folderName());
        if (!Files.isDirectory(entry)) {
            return Optional.empty();
        }
        try {
            Checkpoint file = Checkpoint.open(entry);
            String digest = file.config().path("digest").asText();
            if (Digest.of(entry.resolve(FILE)).value().equals(digest)) {
                return Optional.of(new Entry(file, stored(file.config())));
            }
            file.close();
        } catch (RefusedException _) {
            // Damaged: as good as absent.
        }
        return Optional.empty();
    }

    private static Map<String, Entry.Stored> stored(JsonNode config) {
        Map<String, Entry.Stored> stored = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : config.path("tensors").properties()) {
            stored.put(
                    entry.getKey(),
                    new Entry.Stored(
                            entry.getValue().path("stored").asText(),
                            entry.getValue().path("count").asLong()));
        }
        return stored;
    }

    /// Writes an entry and opens it; the caller closes it.
    Entry keep(Key key, List<SummedTensor> sums) {
        Path entry = folder.resolve(key.folderName());
        try {
            Files.createDirectories(folder);
            Path aside = Files.createTempDirectory(folder, "new-");
            try {
                write(aside, sums);
                remove(entry);
                Files.move(aside, entry, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                remove(aside);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + entry, e);
        }
        return find(key)
                .orElseThrow(
                        () -> new IllegalStateException("%s is damaged already".formatted(entry)));
    }

    private static void write(Path aside, List<SummedTensor> sums) throws IOException {
        ObjectNode config = JsonText.object();
        ObjectNode tensors = config.putObject("tensors");
        Map<String, SummedTensor> byName = new TreeMap<>();
        for (SummedTensor sum : sums) {
            String stored = sum.names().getFirst();
            byName.put(stored, sum);
            for (String name : sum.names()) {
                tensors.putObject(name).put("stored", stored).put("count", sum.count());
            }
        }
        List<TensorSpec> specs =
                byName.entrySet().stream()
                        .map(e -> new TensorSpec(e.getKey(), Dtype.F32, e.getValue().shape()))
                        .toList();
        try (CheckpointWriter writer =
                CheckpointWriter.create(aside.resolve(FILE), specs, Map.of())) {
            for (TensorInfo tensor : writer.tensors().values()) {
                write(writer, tensor.name(), Objects.requireNonNull(byName.get(tensor.name())));
            }
            config.put("digest", writer.finish().value());
        }
        Path text = aside.resolve(CONFIG);
        Files.writeString(text, JsonText.write(config));
        try (FileChannel channel = FileChannel.open(text, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    private static void write(CheckpointWriter writer, String name, SummedTensor sum) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment block = arena.allocate((long) BLOCK * Float.BYTES, Float.BYTES);
            for (long from = 0; from < sum.elements(); from += BLOCK) {
                long count = Math.min(BLOCK, sum.elements() - from);
                read(sum, from, count, block);
                writer.write(name, block.asSlice(0, count * Float.BYTES));
            }
        }
    }

    private static void read(SummedTensor sum, long from, long count, MemorySegment target) {
        target.fill((byte) 0);
        for (HeldStretch held : sum.held()) {
            long begin = Math.max(from, held.from());
            long end = Math.min(from + count, held.from() + held.count());
            if (begin < end) {
                Kernels.widen(
                        sum.dtype(),
                        sum.values(),
                        held.heldFrom() + begin - held.from(),
                        target.asSlice((begin - from) * Float.BYTES),
                        end - begin);
            }
        }
        for (long i = 0; i < count && sum.factor() != 1; i++) {
            float value = target.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            target.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (sum.factor() * value));
        }
    }

    private static void remove(Path entry) throws IOException {
        if (Files.isDirectory(entry)) {
            try (Stream<Path> files = Files.list(entry)) {
                for (Path file : files.toList()) {
                    Files.deleteIfExists(file);
                }
            }
            Files.deleteIfExists(entry);
        }
    }
}
