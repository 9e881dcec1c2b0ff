package dev.tributary.tensors;

import com.fasterxml.jackson.core.JsonToken;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Reads how a safetensors header describes one tensor, and checks that dtype, shape and place
/// agree.
final class TensorInfoReader {
    static final int MAX_DIMENSIONS = 32;

    private static final CorruptionKind INVALID = CorruptionKind.TENSOR_INVALID_INFO;

    private final Path file;
    private final StrictJson in;
    private final StrictJson.Names keys = new StrictJson.Names();

    TensorInfoReader(Path file, StrictJson in) {
        this.file = file;
        this.in = in;
    }

    /// Reads the object that comes next, which describes the tensor of this name.
    TensorInfo read(String name) {
        String where = "tensor '" + name + "'";
        in.beginObject(INVALID, where);
        keys.clear();
        Dtype dtype = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        for (String key = in.nextName(keys); key != null; key = in.nextName(keys)) {
            switch (key) {
                case "dtype" -> dtype = dtype(where);
                case "shape" -> shape = numbers(where, MAX_DIMENSIONS);
                case "data_offsets" -> offsets = numbers(where, 2);
                default ->
                        throw refusal(
                                INVALID,
                                "%s has an unknown key '%s'"
                                        .formatted(where, StrictJson.shown(key)));
            }
        }
        if (dtype == null || shape == null || offsets == null || offsets.size() != 2) {
            throw refusal(
                    INVALID, "%s lacks its dtype, shape or two data_offsets".formatted(where));
        }
        return checked(name, dtype, shape, offsets.getFirst(), offsets.getLast());
    }

    private Dtype dtype(String where) {
        String name = in.nextText(INVALID, where);
        return Dtype.of(name)
                .orElseThrow(() ->
                        refusal(
                                CorruptionKind.UNKNOWN_DTYPE,
                                "%s has dtype '%s', expected one of %s"
                                        .formatted(
                                                where,
                                                StrictJson.shown(name),
                                                List.of(Dtype.values()))));
    }

    private List<Long> numbers(String where, int limit) {
        List<Long> numbers = new ArrayList<>(2);
        if (in.next() != JsonToken.START_ARRAY) {
            throw refusal(
                    INVALID,
                    "%s has something else where a list of numbers should be".formatted(where));
        }
        while (in.next() != JsonToken.END_ARRAY) {
            if (numbers.size() == limit) {
                throw refusal(
                        INVALID, "%s has a list of more than %d numbers".formatted(where, limit));
            }
            numbers.add(in.wholeNumber(where));
        }
        return numbers;
    }

    private TensorInfo checked(String name, Dtype dtype, List<Long> shape, long begin, long end) {
        if (begin > end) {
            throw refusal(
                    CorruptionKind.INVALID_OFFSET,
                    "tensor '%s' begins at byte %d but ends at byte %d"
                            .formatted(name, begin, end));
        }
        if ((end - begin) % dtype.bytes() != 0) {
            throw refusal(
                    CorruptionKind.MISALIGNED,
                    "tensor '%s' has %d bytes, which is no whole number of %s elements"
                            .formatted(name, end - begin, dtype));
        }
        long bytes = bytes(name, dtype, shape);
        if (bytes != end - begin) {
            throw refusal(
                    INVALID,
                    "tensor '%s' has %d bytes, expected %d for %s of shape %s"
                            .formatted(name, end - begin, bytes, dtype, shape));
        }
        return new TensorInfo(name, dtype, shape, begin, end);
    }

    private long bytes(String name, Dtype dtype, List<Long> shape) {
        try {
            return TensorSpec.sizeOf(dtype, shape);
        } catch (ArithmeticException e) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.VALIDATION_OVERFLOW,
                    "tensor '%s' of shape %s has more bytes than 63 bits can count"
                            .formatted(name, shape),
                    e);
        }
    }

    private CorruptCheckpointException refusal(CorruptionKind kind, String sentence) {
        return new CorruptCheckpointException(file, kind, sentence);
    }
}
