package dev.tributary.tensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Writes one safetensors file: the header first, then the tensors block by block, as a stream or
/// in any order, so that no tensor is ever held whole. The file appears under its name only when
/// [#finish] has brought everything to the disk; closing without that leaves nothing behind.
///
/// The bytes are those the safetensors reference writer makes from the same tensors: wide dtypes
/// first, then by name, header padded to eight bytes.
public final class CheckpointWriter implements AutoCloseable {
    /// The metadata `transformers` expects to find in a file it loads.
    public static final Map<String, String> PYTORCH = Map.of("format", "pt");

    private static final int BUFFER_BYTES = 1 << 18;
    private static final int PIECE_BYTES = 1 << 24;
    private static final int HEADER_ALIGNMENT = 8;
    private static final JsonFactory JSON = new JsonFactory();

    private final Path file;
    private final Path partial;
    private final FileChannel channel;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private final MessageDigest digest = Digest.newMessageDigest();
    private final SequencedMap<String, TensorInfo> tensors;
    private final Deque<TensorInfo> pending;
    private final long dataBegin;
    private final AtomicLong scattered = new AtomicLong();
    private long writtenOfFirst;
    private @Nullable Digest finished;

    private CheckpointWriter(
            Path file,
            Path partial,
            FileChannel channel,
            SequencedMap<String, TensorInfo> tensors,
            long dataBegin) {
        this.file = file;
        this.dataBegin = dataBegin;
        this.partial = partial;
        this.channel = channel;
        this.tensors = Collections.unmodifiableSequencedMap(tensors);
        this.pending = new ArrayDeque<>(tensors.values());
        skipEmpty();
    }

    /// Begins a file and writes its header.
    ///
    /// @param metadata free-form text for the header, usually [#PYTORCH]
    public static CheckpointWriter create(
            Path file, List<TensorSpec> specs, Map<String, String> metadata) {
        SequencedMap<String, TensorInfo> tensors = layOut(specs);
        Path partial =
                file.resolveSibling(".%s.%s".formatted(file.getFileName(), UUID.randomUUID()));
        byte[] header;
        FileChannel channel;
        try {
            header = header(tensors.values(), metadata);
            channel =
                    FileChannel.open(
                            partial, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw StorageFailure.of(file, e);
        }
        CheckpointWriter writer =
                new CheckpointWriter(file, partial, channel, tensors, header.length);
        try {
            writer.append(ByteBuffer.wrap(header));
            return writer;
        } catch (IOException e) {
            writer.close();
            throw StorageFailure.of(file, e);
        }
    }

    /// The tensors in the order in which they have to be written, with their places.
    public SequencedMap<String, TensorInfo> tensors() {
        return tensors;
    }

    /// Appends bytes of a tensor, all of them or the next block. Tensors come in the order of
    /// [#tensors], each one complete before the next begins.
    public void write(String name, MemorySegment bytes) {
        if (bytes.byteSize() == 0) {
            return;
        }
        @Nullable TensorInfo expected = pending.peekFirst();
        if (expected == null || !expected.name().equals(name)) {
            throw new IllegalStateException(
                    "tensor '%s' was written where %s was due"
                            .formatted(
                                    name,
                                    expected == null
                                            ? "nothing more"
                                            : "'" + expected.name() + "'"));
        }
        if (bytes.byteSize() > expected.bytes() - writtenOfFirst) {
            throw new IllegalStateException(
                    "tensor '%s' has %d bytes, but %d were written"
                            .formatted(name, expected.bytes(), writtenOfFirst + bytes.byteSize()));
        }
        appendSlices(bytes);
        writtenOfFirst += bytes.byteSize();
        skipEmpty();
    }

    /// Writes a stretch of a tensor, in any order and by any thread, straight from native memory.
    /// Every byte has to be written once. Not to be mixed with [#write(String, MemorySegment)].
    ///
    /// @param fromByte where in the tensor it begins
    public void write(String name, long fromByte, MemorySegment bytes) {
        @Nullable TensorInfo tensor = tensors.get(name);
        if (tensor == null || fromByte < 0 || fromByte + bytes.byteSize() > tensor.bytes()) {
            throw new IllegalArgumentException(
                    "tensor '%s' has no %d bytes at %d"
                            .formatted(name, bytes.byteSize(), fromByte));
        }
        long begin = dataBegin + tensor.begin() + fromByte;
        long size = bytes.byteSize();
        try {
            for (long at = 0; at < size; at += PIECE_BYTES) {
                ByteBuffer piece =
                        bytes.asSlice(at, Math.min(PIECE_BYTES, size - at)).asByteBuffer();
                while (piece.hasRemaining()) {
                    channel.write(piece, begin + at + piece.position());
                }
            }
        } catch (IOException e) {
            throw StorageFailure.of(file, e);
        }
        scattered.addAndGet(size);
    }

    /// Brings the file to the disk and gives it its name. What was written in any order is read
    /// once more for its digest.
    ///
    /// @return the digest of the file's bytes
    public Digest finish() {
        if (finished == null) {
            Optional<Digest> read =
                    writtenInAnyOrder() ? Optional.of(Digest.of(partial)) : Optional.empty();
            publish();
            finished = read.orElseGet(() -> Digest.finish(digest));
        }
        return finished;
    }

    /// Brings the file to the disk and gives it its name, for who knows its content otherwise.
    ///
    /// @param digest stands for the file
    public void finish(Digest digest) {
        writtenInAnyOrder();
        publish();
        finished = digest;
    }

    /// Whether all of it was; throws when something is missing.
    private boolean writtenInAnyOrder() {
        long all = tensors.isEmpty() ? 0 : tensors.lastEntry().getValue().end();
        if (scattered.get() > 0 && scattered.get() == all) {
            pending.clear();
            return true;
        }
        if (!pending.isEmpty()) {
            throw new IllegalStateException(
                    "%s: %d tensors are not written whole, the first is '%s'"
                            .formatted(file, pending.size(), pending.getFirst().name()));
        }
        return false;
    }

    private void publish() {
        try {
            channel.force(true);
            channel.close();
            Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
            Durable.folder(Durable.parent(file));
        } catch (IOException e) {
            throw StorageFailure.of(file, e);
        }
    }

    /// Gives the file up unless it is finished.
    @Override
    public void close() {
        if (finished != null) {
            return;
        }
        try {
            channel.close();
            Files.deleteIfExists(partial);
        } catch (IOException e) {
            throw StorageFailure.of(file, e);
        }
    }

    private void skipEmpty() {
        while (!pending.isEmpty() && pending.getFirst().bytes() == writtenOfFirst) {
            pending.removeFirst();
            writtenOfFirst = 0;
        }
    }

    private void appendSlices(MemorySegment bytes) {
        try {
            for (long from = 0; from < bytes.byteSize(); from += buffer.length) {
                int length = (int) Math.min(buffer.length, bytes.byteSize() - from);
                MemorySegment.copy(bytes, from, MemorySegment.ofArray(buffer), 0, length);
                append(ByteBuffer.wrap(buffer, 0, length));
            }
        } catch (IOException e) {
            throw StorageFailure.of(file, e);
        }
    }

    private void append(ByteBuffer bytes) throws IOException {
        digest.update(bytes.duplicate());
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static SequencedMap<String, TensorInfo> layOut(List<TensorSpec> specs) {
        SequencedMap<String, TensorInfo> tensors = new LinkedHashMap<>();
        long end = 0;
        for (TensorSpec spec : specs.stream().sorted(REFERENCE_ORDER).toList()) {
            long begin = end;
            end = Math.addExact(begin, spec.bytes());
            TensorInfo tensor = new TensorInfo(spec.name(), spec.dtype(), spec.shape(), begin, end);
            if (tensors.put(spec.name(), tensor) != null) {
                throw new IllegalArgumentException(
                        "tensor '%s' is listed twice".formatted(spec.name()));
            }
        }
        return tensors;
    }

    /// Wide elements first, so that every tensor is aligned to its own elements.
    private static final Comparator<TensorSpec> REFERENCE_ORDER =
            Comparator.comparingInt((TensorSpec spec) -> spec.dtype().alignmentRank())
                    .reversed()
                    .thenComparing(TensorSpec::name);

    private static byte[] header(Iterable<TensorInfo> tensors, Map<String, String> metadata)
            throws IOException {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try (JsonGenerator out = JSON.createGenerator(json)) {
            out.writeStartObject();
            if (!metadata.isEmpty()) {
                out.writeObjectFieldStart("__metadata__");
                for (Map.Entry<String, String> entry : new TreeMap<>(metadata).entrySet()) {
                    out.writeStringField(entry.getKey(), entry.getValue());
                }
                out.writeEndObject();
            }
            for (TensorInfo tensor : tensors) {
                writeTensor(out, tensor);
            }
            out.writeEndObject();
        }
        while (json.size() % HEADER_ALIGNMENT != 0) {
            json.write(' ');
        }
        return ByteBuffer.allocate(Long.BYTES + json.size())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.size())
                .put(json.toByteArray())
                .array();
    }

    private static void writeTensor(JsonGenerator out, TensorInfo tensor) throws IOException {
        out.writeObjectFieldStart(tensor.name());
        out.writeStringField("dtype", tensor.dtype().name());
        out.writeArrayFieldStart("shape");
        for (long length : tensor.shape()) {
            out.writeNumber(length);
        }
        out.writeEndArray();
        out.writeArrayFieldStart("data_offsets");
        out.writeNumber(tensor.begin());
        out.writeNumber(tensor.end());
        out.writeEndArray();
        out.writeEndObject();
    }
}
