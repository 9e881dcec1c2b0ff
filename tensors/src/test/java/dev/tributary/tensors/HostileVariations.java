package dev.tributary.tensors;

import static dev.tributary.tensors.CorruptionKind.HEADER_TOO_LARGE;
import static dev.tributary.tensors.CorruptionKind.INVALID_HEADER;
import static dev.tributary.tensors.CorruptionKind.INVALID_HEADER_DESERIALIZATION;
import static dev.tributary.tensors.CorruptionKind.INVALID_OFFSET;
import static dev.tributary.tensors.CorruptionKind.METADATA_INVALID;
import static dev.tributary.tensors.CorruptionKind.MISALIGNED;
import static dev.tributary.tensors.CorruptionKind.OVERLAP;
import static dev.tributary.tensors.CorruptionKind.TENSOR_INVALID_INFO;
import static dev.tributary.tensors.CorruptionKind.TENSOR_NAME_INVALID;
import static dev.tributary.tensors.CorruptionKind.UNKNOWN_DTYPE;
import static dev.tributary.tensors.CorruptionKind.VALIDATION_OVERFLOW;
import static dev.tributary.tensors.HostileFile.ONE_FLOAT;
import static dev.tributary.tensors.HostileFile.bytes;
import static dev.tributary.tensors.HostileFile.header;
import static dev.tributary.tensors.HostileFile.tensor;
import static dev.tributary.tensors.HostileFile.withClaimedLength;
import static dev.tributary.tensors.HostileFile.withLength;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The faults of [HostileHeaders] again, in every dtype, at every place and in every spelling that
/// might be forgotten.
final class HostileVariations {
    private HostileVariations() {}

    static Stream<HostileFile> all() {
        return Stream.of(
                        sizes(),
                        dtypes(),
                        controls(),
                        escapes(),
                        numbers(),
                        types(),
                        keys(),
                        lengths(),
                        layouts(),
                        encodings(),
                        magics(),
                        metadata())
                .flatMap(List::stream);
    }

    private static List<HostileFile> sizes() {
        List<HostileFile> files = new ArrayList<>();
        for (Dtype dtype : Dtype.values()) {
            int size = dtype.bytes();
            files.add(
                    sized(
                            "%s with an element more than bytes".formatted(dtype),
                            TENSOR_INVALID_INFO,
                            dtype,
                            "[2,2]",
                            3 * size));
            files.add(
                    sized(
                            "%s with an element less than bytes".formatted(dtype),
                            TENSOR_INVALID_INFO,
                            dtype,
                            "[3]",
                            4 * size));
            files.add(
                    sized(
                            "%s whose bytes need 64 bits".formatted(dtype),
                            VALIDATION_OVERFLOW,
                            dtype,
                            "[4611686018427387904,%d]".formatted(2 * size),
                            size));
            if (size > 1) {
                files.add(
                        sized(
                                "%s cut off by a byte".formatted(dtype),
                                MISALIGNED,
                                dtype,
                                "[2]",
                                2 * size - 1));
            }
        }
        return files;
    }

    private static HostileFile sized(
            String name, CorruptionKind expected, Dtype dtype, String shape, int bytes) {
        return header(
                name,
                expected,
                "{\"x\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[0,%d]}}"
                        .formatted(dtype, shape, bytes),
                bytes);
    }

    private static List<HostileFile> dtypes() {
        return Stream.of(
                        "",
                        "F32 ",
                        " F32",
                        "F32\\u0000",
                        "F32\\n",
                        "float32",
                        "Float32",
                        "fp32",
                        "torch.float32",
                        "<f4",
                        "f4",
                        "F33",
                        "F032",
                        "BF32",
                        "FP16",
                        "half",
                        "C64",
                        "COMPLEX64",
                        "INT8",
                        "Q4_K",
                        "I4",
                        "U128",
                        "bool",
                        "Bool",
                        "F8_E5M2",
                        "F6_E2M3",
                        "F4_E2M1",
                        "F32,F32",
                        "null")
                .map(dtype ->
                        described(
                                "dtype '%s'".formatted(dtype),
                                UNKNOWN_DTYPE,
                                "\"" + dtype + "\"",
                                "[1]",
                                "[0,4]"))
                .toList();
    }

    /// Every control character there is, as an escape, and those below a blank as they are.
    private static List<HostileFile> controls() {
        List<HostileFile> files = new ArrayList<>();
        IntStream.concat(IntStream.range(0, 0x20), IntStream.range(0x7f, 0xa0))
                .forEach(c -> {
                    files.add(
                            header(
                                    "escaped U+%04X in a name".formatted(c),
                                    TENSOR_NAME_INVALID,
                                    "{%s}"
                                            .formatted(
                                                    ONE_FLOAT.replace(
                                                            "x", "a\\u%04xb".formatted(c))),
                                    4));
                    if (c < ' ') {
                        files.add(
                                header(
                                        "U+%04X in a name".formatted(c),
                                        INVALID_HEADER_DESERIALIZATION,
                                        "{%s}".formatted(ONE_FLOAT.replace("x", "a" + (char) c)),
                                        4));
                    }
                });
        return files;
    }

    private static List<HostileFile> escapes() {
        return Stream.of("\\x41", "\\u12", "\\u{61}", "\\'", "\\0", "\\a", "\\U00000041", "\\ ")
                .map(escape ->
                        header(
                                "escape '%s' in a name".formatted(escape),
                                INVALID_HEADER_DESERIALIZATION,
                                "{\"%s\":{}}".formatted(escape),
                                0))
                .toList();
    }

    private static List<HostileFile> numbers() {
        List<HostileFile> files = new ArrayList<>();
        for (String number :
                List.of(
                        "+1",
                        ".5",
                        "1.",
                        "0x1",
                        "1_0",
                        "0b1",
                        "1e",
                        "1e+",
                        "--1",
                        "- 1",
                        "00",
                        "-01",
                        "Infinity",
                        "-Infinity",
                        "-NaN",
                        "\u0661",
                        "\uff11",
                        "1L",
                        "1f",
                        "TRUE",
                        "undefined",
                        "1 1")) {
            files.add(
                    described(
                            "length of %s".formatted(number),
                            INVALID_HEADER_DESERIALIZATION,
                            "\"F32\"",
                            "[%s]".formatted(number),
                            "[0,4]"));
        }
        for (String number : List.of("1E0", "10e-1", "0.0", "-0.0", "1e400", "-1e-400", "1.0e0")) {
            files.add(
                    described(
                            "length of %s".formatted(number),
                            TENSOR_INVALID_INFO,
                            "\"F32\"",
                            "[%s]".formatted(number),
                            "[0,4]"));
            files.add(
                    described(
                            "offset of %s".formatted(number),
                            TENSOR_INVALID_INFO,
                            "\"F32\"",
                            "[1]",
                            "[%s,4]".formatted(number)));
        }
        return files;
    }

    /// Something of another type at every place.
    private static List<HostileFile> types() {
        List<HostileFile> files = new ArrayList<>();
        for (String value : List.of("true", "false", "[]", "\"x\"", "1.5", "[{}]")) {
            files.add(tensor("tensor of %s".formatted(value), TENSOR_INVALID_INFO, value));
        }
        for (String value : List.of("null", "true", "[]", "{}", "[\"F32\"]")) {
            files.add(
                    described(
                            "dtype of %s".formatted(value),
                            TENSOR_INVALID_INFO,
                            value,
                            "[1]",
                            "[0,4]"));
        }
        for (String value : List.of("null", "true", "1", "{}", "{\"0\":1}", "[{}]", "[[]]")) {
            files.add(
                    described(
                            "shape of %s".formatted(value),
                            TENSOR_INVALID_INFO,
                            "\"F32\"",
                            value,
                            "[0,4]"));
        }
        for (String value :
                List.of(
                        "null",
                        "4",
                        "{}",
                        "[]",
                        "[null,4]",
                        "[\"0\",\"4\"]",
                        "[false,4]",
                        "[[0],4]",
                        "[{},4]",
                        "[0,[4]]",
                        "[0,null]")) {
            files.add(
                    described(
                            "offsets of %s".formatted(value),
                            TENSOR_INVALID_INFO,
                            "\"F32\"",
                            "[1]",
                            value));
        }
        return files;
    }

    private static List<HostileFile> keys() {
        return Stream.of(
                        "",
                        "Dtype",
                        "SHAPE",
                        "shapes",
                        "data_offset",
                        "offsets",
                        "stride",
                        "storage",
                        "__class__",
                        "__reduce__",
                        "dtype ",
                        "data-offsets")
                .map(key ->
                        tensor(
                                "key '%s' in a tensor".formatted(key),
                                TENSOR_INVALID_INFO,
                                "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"%s\":0}"
                                        .formatted(key)))
                .toList();
    }

    private static List<HostileFile> lengths() {
        byte[] json = ("{" + ONE_FLOAT + "}").getBytes(StandardCharsets.UTF_8);
        List<HostileFile> files = new ArrayList<>();
        for (int power : new int[] {27, 30, 31, 33, 40, 47, 48, 53, 56, 60, 62}) {
            files.add(
                    bytes(
                            "length of 2^%d".formatted(power),
                            HEADER_TOO_LARGE,
                            withClaimedLength(1L << power, json, 4)));
        }
        for (int length : new int[] {1, 2, 3, 5, 10, 20, 40}) {
            files.add(
                    bytes(
                            "length of %d, in the middle of the header".formatted(length),
                            INVALID_HEADER_DESERIALIZATION,
                            withClaimedLength(length, json, 4)));
        }
        return files;
    }

    /// Three tensors, of which one begins too late or too early, in every order.
    private static List<HostileFile> layouts() {
        List<HostileFile> files = new ArrayList<>();
        int[][] orders = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
        for (int[] order : orders) {
            String which = "%d %d %d".formatted(order[0], order[1], order[2]);
            files.add(
                    header(
                            "hole before the last, listed as " + which,
                            INVALID_OFFSET,
                            three(order, 0, 4, 9),
                            13));
            files.add(
                    header(
                            "hole before the second, listed as " + which,
                            INVALID_OFFSET,
                            three(order, 0, 5, 9),
                            13));
            files.add(
                    header(
                            "overlap with the last, listed as " + which,
                            OVERLAP,
                            three(order, 0, 4, 7),
                            11));
            files.add(
                    header(
                            "overlap of the first two, listed as " + which,
                            OVERLAP,
                            three(order, 0, 1, 5),
                            9));
        }
        return files;
    }

    private static String three(int[] order, int... begins) {
        return IntStream.of(order)
                .mapToObj(i ->
                        "\"t%d\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[%d,%d]}"
                                .formatted(i, begins[i], begins[i] + 4))
                .collect(java.util.stream.Collectors.joining(",", "{", "}"));
    }

    /// What is no UTF-8 (Unicode 16, table 3-7), in a name.
    private static List<HostileFile> encodings() {
        return Stream.of(
                        "80",
                        "bf",
                        "c080",
                        "c1bf",
                        "c3",
                        "c328",
                        "e08080",
                        "e282",
                        "e28228",
                        "edbfbf",
                        "f0808080",
                        "f0288cbc",
                        "f4908080",
                        "f5808080",
                        "f888808080",
                        "fe",
                        "ff",
                        "fffe")
                .map(hex -> {
                    ByteArrayOutputStream json = new ByteArrayOutputStream();
                    json.writeBytes("{\"".getBytes(StandardCharsets.UTF_8));
                    json.writeBytes(HexFormat.of().parseHex(hex));
                    json.writeBytes("\":{}}".getBytes(StandardCharsets.UTF_8));
                    return bytes(
                            "bytes %s in a name".formatted(hex),
                            INVALID_HEADER,
                            withLength(json.toByteArray(), 0));
                })
                .toList();
    }

    /// Files of other kinds under the name of a safetensors file: their first bytes are a length.
    private static List<HostileFile> magics() {
        return Stream.of(
                        "7f454c46020101000000000000000000",
                        "4d5a90000300000004000000ffff0000",
                        "cffaedfe07000001030000000200000085",
                        "cafebabe0000003d001d0a0002000307",
                        "255044462d312e370a25b5b5b5b50a0a",
                        "89504e470d0a1a0a0000000d49484452",
                        "ffd8ffe000104a46494600010100000100",
                        "23212f62696e2f73680a726d202d7266",
                        "3c21444f43545950452068746d6c3e0a",
                        "08081207707974",
                        "2f2a2a2f7b7d7b7d7b7d",
                        "0061736d010000000104016000006000")
                .map(hex ->
                        bytes(
                                "file that begins with " + hex.toUpperCase(Locale.ROOT),
                                HEADER_TOO_LARGE,
                                HexFormat.of()
                                        .parseHex(hex.length() < 20 ? hex + "6f726368616f" : hex)))
                .toList();
    }

    private static List<HostileFile> metadata() {
        List<HostileFile> files = new ArrayList<>();
        for (String value : List.of("true", "1", "1.5", "[{}]", "false")) {
            files.add(
                    header(
                            "metadata of %s".formatted(value),
                            METADATA_INVALID,
                            "{\"__metadata__\":%s}".formatted(value),
                            0));
        }
        for (String value : List.of("true", "1.5", "[]", "[\"a\"]", "{\"b\":\"c\"}")) {
            files.add(
                    header(
                            "%s in metadata".formatted(value),
                            METADATA_INVALID,
                            "{\"__metadata__\":{\"format\":\"pt\",\"a\":%s}}".formatted(value),
                            0));
        }
        return files;
    }

    private static HostileFile described(
            String name, CorruptionKind expected, String dtype, String shape, String offsets) {
        return tensor(
                name,
                expected,
                "{\"dtype\":%s,\"shape\":%s,\"data_offsets\":%s}".formatted(dtype, shape, offsets));
    }
}
