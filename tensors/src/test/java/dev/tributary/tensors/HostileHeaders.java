package dev.tributary.tensors;

import static dev.tributary.tensors.CorruptionKind.DUPLICATE_KEY;
import static dev.tributary.tensors.CorruptionKind.HEADER_TOO_LARGE;
import static dev.tributary.tensors.CorruptionKind.HEADER_TOO_SMALL;
import static dev.tributary.tensors.CorruptionKind.INVALID_HEADER;
import static dev.tributary.tensors.CorruptionKind.INVALID_HEADER_DESERIALIZATION;
import static dev.tributary.tensors.CorruptionKind.INVALID_HEADER_LENGTH;
import static dev.tributary.tensors.CorruptionKind.INVALID_HEADER_START;
import static dev.tributary.tensors.CorruptionKind.INVALID_OFFSET;
import static dev.tributary.tensors.CorruptionKind.METADATA_INCOMPLETE_BUFFER;
import static dev.tributary.tensors.CorruptionKind.METADATA_INVALID;
import static dev.tributary.tensors.CorruptionKind.MISALIGNED;
import static dev.tributary.tensors.CorruptionKind.OVERLAP;
import static dev.tributary.tensors.CorruptionKind.TENSOR_INVALID_INFO;
import static dev.tributary.tensors.CorruptionKind.TENSOR_NAME_INVALID;
import static dev.tributary.tensors.CorruptionKind.TOO_MANY_TENSORS;
import static dev.tributary.tensors.CorruptionKind.UNKNOWN_DTYPE;
import static dev.tributary.tensors.CorruptionKind.VALIDATION_OVERFLOW;
import static dev.tributary.tensors.HostileFile.ONE_FLOAT;
import static dev.tributary.tensors.HostileFile.bytes;
import static dev.tributary.tensors.HostileFile.header;
import static dev.tributary.tensors.HostileFile.oneFloat;
import static dev.tributary.tensors.HostileFile.tensor;
import static dev.tributary.tensors.HostileFile.withClaimedLength;
import static dev.tributary.tensors.HostileFile.withLength;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Safetensors files whose header or layout nobody should trust, each with the way in which it has
/// to be refused.
final class HostileHeaders {
    private HostileHeaders() {}

    static Stream<HostileFile> all() {
        return Stream.of(
                        lengths(),
                        starts(),
                        json(),
                        names(),
                        metadata(),
                        tensors(),
                        numbers(),
                        layouts())
                .flatMap(List::stream);
    }

    private static List<HostileFile> lengths() {
        byte[] json = ("{" + ONE_FLOAT + "}").getBytes(StandardCharsets.UTF_8);
        return List.of(
                bytes("empty file", HEADER_TOO_SMALL, new byte[0]),
                bytes("seven bytes", HEADER_TOO_SMALL, new byte[7]),
                bytes("length of 2^64 - 1", HEADER_TOO_LARGE, withClaimedLength(-1, json, 4)),
                bytes(
                        "length of 2^63",
                        HEADER_TOO_LARGE,
                        withClaimedLength(Long.MIN_VALUE, json, 4)),
                bytes("length of 4 GiB", HEADER_TOO_LARGE, withClaimedLength(1L << 32, json, 4)),
                bytes(
                        "length just above the reference's limit",
                        HEADER_TOO_LARGE,
                        withClaimedLength(100_000_001, json, 4)),
                bytes(
                        "length just above ours",
                        HEADER_TOO_LARGE,
                        withClaimedLength(SafetensorsHeader.MAX_BYTES + 1, json, 4)),
                bytes(
                        "length longer than the file",
                        INVALID_HEADER_LENGTH,
                        withClaimedLength(json.length + 5, json, 4)),
                bytes(
                        "length at our limit, longer than the file",
                        INVALID_HEADER_LENGTH,
                        withClaimedLength(SafetensorsHeader.MAX_BYTES, json, 4)),
                bytes(
                        "length one too short",
                        INVALID_HEADER_DESERIALIZATION,
                        withClaimedLength(json.length - 1, json, 4)));
    }

    private static List<HostileFile> starts() {
        return List.of(
                bytes("header of no bytes", INVALID_HEADER_START, withLength(new byte[0], 0)),
                header("header of blanks", INVALID_HEADER_START, "        ", 0),
                header("list as header", INVALID_HEADER_START, "[]", 0),
                header("text as header", INVALID_HEADER_START, "\"x\"", 0),
                header("NUL before the brace", INVALID_HEADER_START, "\0{}", 0),
                header("form feed before the brace", INVALID_HEADER_START, "\f{}", 0),
                header("byte order mark", INVALID_HEADER_START, "\ufeff{}", 0),
                bytes(
                        "UTF-16, big end first",
                        INVALID_HEADER_START,
                        withLength("{}".getBytes(StandardCharsets.UTF_16BE), 0)),
                bytes(
                        "UTF-16, little end first",
                        INVALID_HEADER_DESERIALIZATION,
                        withLength("{}".getBytes(StandardCharsets.UTF_16LE), 0)));
    }

    private static List<HostileFile> json() {
        return List.of(
                header("unclosed object", INVALID_HEADER_DESERIALIZATION, "{" + ONE_FLOAT, 4),
                header("trailing comma", INVALID_HEADER_DESERIALIZATION, "{" + ONE_FLOAT + ",}", 4),
                header("comment", INVALID_HEADER_DESERIALIZATION, "{/**/" + ONE_FLOAT + "}", 4),
                header("single quotes", INVALID_HEADER_DESERIALIZATION, "{'x':1}", 0),
                header("second object", INVALID_HEADER_DESERIALIZATION, "{" + ONE_FLOAT + "}{}", 4),
                header(
                        "text after the object",
                        INVALID_HEADER_DESERIALIZATION,
                        "{" + ONE_FLOAT + "} x",
                        4),
                header(
                        "NUL after the object",
                        INVALID_HEADER_DESERIALIZATION,
                        "{" + ONE_FLOAT + "}\0",
                        4),
                bytes("invalid UTF-8", INVALID_HEADER, withLength(invalidUtf8(), 0)),
                bytes("overlong UTF-8", INVALID_HEADER, withLength(overlongUtf8(), 0)),
                bytes("surrogate in UTF-8", INVALID_HEADER, withLength(surrogateUtf8(), 0)));
    }

    private static List<HostileFile> names() {
        String second = ",\"x\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}";
        return List.of(
                header("same tensor twice", DUPLICATE_KEY, "{" + ONE_FLOAT + second + "}", 4),
                header(
                        "same tensor twice, once escaped",
                        DUPLICATE_KEY,
                        "{" + ONE_FLOAT + second.replace("\"x\"", "\"\\u0078\"") + "}",
                        4),
                tensor(
                        "same dtype key twice",
                        DUPLICATE_KEY,
                        "{\"dtype\":\"F32\",\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}"),
                header(
                        "metadata twice",
                        DUPLICATE_KEY,
                        "{\"__metadata__\":{},\"__metadata__\":{}}",
                        0),
                header(
                        "same metadata key twice",
                        DUPLICATE_KEY,
                        "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}",
                        0),
                header("empty name", TENSOR_NAME_INVALID, named(""), 4),
                header("name of 513 characters", TENSOR_NAME_INVALID, named("n".repeat(513)), 4),
                header("name of a megabyte", TENSOR_NAME_INVALID, named("n".repeat(1 << 20)), 4),
                header("NUL in a name", TENSOR_NAME_INVALID, named("a\\u0000b"), 4),
                header("escape sequence in a name", TENSOR_NAME_INVALID, named("\\u001b[31m"), 4),
                header("line break in a name", TENSOR_NAME_INVALID, named("a\\nb"), 4),
                header("too many tensors", TOO_MANY_TENSORS, manyEmptyTensors(), 0));
    }

    private static List<HostileFile> metadata() {
        return List.of(
                header("metadata of null", METADATA_INVALID, "{\"__metadata__\":null}", 0),
                header("metadata of text", METADATA_INVALID, "{\"__metadata__\":\"a\"}", 0),
                header("metadata of a list", METADATA_INVALID, "{\"__metadata__\":[]}", 0),
                header("number in metadata", METADATA_INVALID, "{\"__metadata__\":{\"a\":1}}", 0),
                header("null in metadata", METADATA_INVALID, "{\"__metadata__\":{\"a\":null}}", 0),
                header("object in metadata", METADATA_INVALID, "{\"__metadata__\":{\"a\":{}}}", 0),
                header(
                        "metadata a million deep",
                        METADATA_INVALID,
                        "{\"__metadata__\":" + "{\"a\":".repeat(1_000_000),
                        0),
                header(
                        "lists a million deep",
                        TENSOR_INVALID_INFO,
                        "{\"x\":" + "[".repeat(1_000_000),
                        0));
    }

    private static List<HostileFile> tensors() {
        return List.of(
                tensor("tensor of null", TENSOR_INVALID_INFO, "null"),
                tensor("tensor of a number", TENSOR_INVALID_INFO, "1"),
                tensor("no dtype", TENSOR_INVALID_INFO, "{\"shape\":[1],\"data_offsets\":[0,4]}"),
                tensor(
                        "no shape",
                        TENSOR_INVALID_INFO,
                        "{\"dtype\":\"F32\",\"data_offsets\":[0,4]}"),
                tensor("no offsets", TENSOR_INVALID_INFO, "{\"dtype\":\"F32\",\"shape\":[1]}"),
                described("one offset", TENSOR_INVALID_INFO, "F32", "[1]", "[0]"),
                described("three offsets", TENSOR_INVALID_INFO, "F32", "[1]", "[0,4,8]"),
                described("offsets of text", TENSOR_INVALID_INFO, "F32", "[1]", "\"0,4\""),
                described("shape of text", TENSOR_INVALID_INFO, "F32", "\"1\"", "[0,4]"),
                described("list in a shape", TENSOR_INVALID_INFO, "F32", "[[1]]", "[0,4]"),
                described("null in a shape", TENSOR_INVALID_INFO, "F32", "[null]", "[0,4]"),
                described(
                        "33 dimensions",
                        TENSOR_INVALID_INFO,
                        "F32",
                        Arrays.toString(IntStream.generate(() -> 1).limit(33).toArray()),
                        "[0,4]"),
                tensor(
                        "unknown key",
                        TENSOR_INVALID_INFO,
                        "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"code\":\"x\"}"),
                tensor(
                        "dtype of a number",
                        TENSOR_INVALID_INFO,
                        "{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,4]}"),
                described("unknown dtype", UNKNOWN_DTYPE, "F128", "[1]", "[0,4]"),
                described("dtype in small letters", UNKNOWN_DTYPE, "f32", "[1]", "[0,4]"),
                described("eight-bit float", UNKNOWN_DTYPE, "F8_E4M3", "[4]", "[0,4]"),
                described("four-bit float", UNKNOWN_DTYPE, "F4", "[8]", "[0,4]"),
                described("more elements than bytes", TENSOR_INVALID_INFO, "F32", "[2]", "[0,4]"),
                described("fewer elements than bytes", TENSOR_INVALID_INFO, "F16", "[1]", "[0,4]"),
                described("zero elements in bytes", TENSOR_INVALID_INFO, "F32", "[0]", "[0,4]"),
                described("half an element", MISALIGNED, "F64", "[1]", "[0,4]"),
                described("three bytes of F16", MISALIGNED, "F16", "[1]", "[0,3]"));
    }

    private static List<HostileFile> numbers() {
        return List.of(
                described("length of 1e0", TENSOR_INVALID_INFO, "F32", "[1e0]", "[0,4]"),
                described("length of 1.0", TENSOR_INVALID_INFO, "F32", "[1.0]", "[0,4]"),
                described("length of -1", TENSOR_INVALID_INFO, "F32", "[-1]", "[0,4]"),
                described("two lengths of -1", TENSOR_INVALID_INFO, "F32", "[-1,-1]", "[0,4]"),
                described("offset of -0", TENSOR_INVALID_INFO, "F32", "[1]", "[-0,4]"),
                described("offset of 4e0", TENSOR_INVALID_INFO, "F32", "[1]", "[0,4e0]"),
                described("offset of -4", TENSOR_INVALID_INFO, "F32", "[1]", "[-4,0]"),
                described("true as a length", TENSOR_INVALID_INFO, "F32", "[true]", "[0,4]"),
                described("text as a length", TENSOR_INVALID_INFO, "F32", "[\"1\"]", "[0,4]"),
                described("leading zero", INVALID_HEADER_DESERIALIZATION, "F32", "[01]", "[0,4]"),
                described("NaN", INVALID_HEADER_DESERIALIZATION, "F32", "[NaN]", "[0,4]"),
                described(
                        "length of 2^64",
                        VALIDATION_OVERFLOW,
                        "F32",
                        "[18446744073709551616]",
                        "[0,4]"),
                described(
                        "length of 2^63",
                        VALIDATION_OVERFLOW,
                        "F32",
                        "[9223372036854775808]",
                        "[0,4]"),
                described(
                        "offset of 2^64 - 1",
                        VALIDATION_OVERFLOW,
                        "F32",
                        "[1]",
                        "[0,18446744073709551615]"),
                described(
                        "product that wraps to one",
                        VALIDATION_OVERFLOW,
                        "I8",
                        "[4294967296,4294967296,4]",
                        "[0,4]"),
                described(
                        "bytes that wrap to four",
                        VALIDATION_OVERFLOW,
                        "F32",
                        "[4611686018427387905]",
                        "[0,4]"),
                described(
                        "overflow hidden by a zero",
                        VALIDATION_OVERFLOW,
                        "F32",
                        "[9223372036854775807,4,0]",
                        "[0,0]"),
                described(
                        "number of a thousand digits",
                        INVALID_HEADER_DESERIALIZATION,
                        "F32",
                        "[" + "9".repeat(1000) + "]",
                        "[0,4]"));
    }

    private static List<HostileFile> layouts() {
        return List.of(
                described("end before the begin", INVALID_OFFSET, "F32", "[1]", "[4,0]"),
                described("hole at the begin", INVALID_OFFSET, "F16", "[1]", "[2,4]"),
                header("hole in the middle", INVALID_OFFSET, two("[0,4]", "[8,12]"), 12),
                header("same bytes twice", OVERLAP, two("[0,4]", "[0,4]"), 4),
                header("half overlap", OVERLAP, two("[0,4]", "[2,6]"), 6),
                header("one inside the other", OVERLAP, inside(), 8),
                header("truncated data", METADATA_INCOMPLETE_BUFFER, "{" + ONE_FLOAT + "}", 3),
                header("no data", METADATA_INCOMPLETE_BUFFER, "{" + ONE_FLOAT + "}", 0),
                header("one byte appended", METADATA_INCOMPLETE_BUFFER, "{" + ONE_FLOAT + "}", 5),
                header("data that no tensor owns", METADATA_INCOMPLETE_BUFFER, "{}", 8),
                bytes("zip appended", METADATA_INCOMPLETE_BUFFER, polyglot()),
                header(
                        "a terabyte claimed",
                        METADATA_INCOMPLETE_BUFFER,
                        "{\"x\":{\"dtype\":\"U8\",\"shape\":[1099511627776],"
                                + "\"data_offsets\":[0,1099511627776]}}",
                        4));
    }

    private static HostileFile described(
            String name, CorruptionKind expected, String dtype, String shape, String offsets) {
        return tensor(
                name,
                expected,
                "{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}"
                        .formatted(dtype, shape, offsets));
    }

    private static String named(String name) {
        return "{" + ONE_FLOAT.replace("\"x\"", "\"" + name + "\"") + "}";
    }

    static String two(String first, String second) {
        return "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":%s},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":%s}}"
                .formatted(first, second);
    }

    private static String inside() {
        return "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}";
    }

    private static String manyEmptyTensors() {
        return IntStream.rangeClosed(0, SafetensorsHeader.MAX_TENSORS)
                .mapToObj(i ->
                        "\"%d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}"
                                .formatted(i))
                .collect(Collectors.joining(",", "{", "}"));
    }

    private static byte[] polyglot() {
        byte[] honest = oneFloat("x");
        byte[] zip = HostileFolders.zip();
        byte[] both = Arrays.copyOf(honest, honest.length + zip.length);
        System.arraycopy(zip, 0, both, honest.length, zip.length);
        return both;
    }

    private static byte[] invalidUtf8() {
        return new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'};
    }

    private static byte[] overlongUtf8() {
        return new byte[] {'{', '"', (byte) 0xc0, (byte) 0xaf, '"', ':', '1', '}'};
    }

    private static byte[] surrogateUtf8() {
        return new byte[] {'{', '"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"', ':', '1', '}'};
    }
}
