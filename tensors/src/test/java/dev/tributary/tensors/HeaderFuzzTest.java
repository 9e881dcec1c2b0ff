package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Headers with random damage: each one is read or refused in a typed way, and whatever is read
/// covers the file's bytes exactly once. More rounds: `-Dfuzz.rounds`.
class HeaderFuzzTest {
    private static final Path FILE = Path.of("fuzz.safetensors");
    private static final int ROUNDS = Integer.getInteger("fuzz.rounds", 60_000);
    private static final int DATA_BYTES = 24;
    private static final String HEADER =
            "{\"__metadata__\":{\"format\":\"pt\"},"
                    + "\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
                    + "\"b\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[16,24]}}";
    private static final List<String> TOKENS =
            List.of(
                    "{",
                    "}",
                    "[",
                    "]",
                    ",",
                    ":",
                    "\"",
                    "\"a\"",
                    "\"b\"",
                    "\"dtype\"",
                    "\"shape\"",
                    "\"data_offsets\"",
                    "\"__metadata__\"",
                    "F32",
                    "F16",
                    "BF16",
                    "U8",
                    "0",
                    "1",
                    "16",
                    "24",
                    "-1",
                    "-0",
                    "1e3",
                    "1.5",
                    "9223372036854775807",
                    "18446744073709551616",
                    "null",
                    "true",
                    "\\u0000",
                    "\\ud800",
                    "\0",
                    "\n",
                    "{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}");

    @Test
    void everyDamagedHeaderIsReadWholeOrRefusedInATypedWay() {
        SplittableRandom random = new SplittableRandom(2306_01708);
        Map<CorruptionKind, Integer> refusals = new EnumMap<>(CorruptionKind.class);
        int accepted = 0;
        for (int i = 0; i < ROUNDS; i++) {
            byte[] header = damaged(random);
            try {
                checkCoversTheData(SafetensorsHeader.parse(FILE, header, DATA_BYTES));
                accepted++;
            } catch (CorruptCheckpointException e) {
                refusals.merge(e.kind(), 1, Integer::sum);
            }
        }
        assertThat(accepted).isBetween(100, ROUNDS / 2);
        assertThat(refusals)
                .containsKeys(
                        CorruptionKind.INVALID_HEADER_DESERIALIZATION,
                        CorruptionKind.INVALID_HEADER,
                        CorruptionKind.INVALID_OFFSET,
                        CorruptionKind.TENSOR_INVALID_INFO,
                        CorruptionKind.UNKNOWN_DTYPE,
                        CorruptionKind.MISALIGNED,
                        CorruptionKind.DUPLICATE_KEY);
    }

    @Test
    void aLayoutIsReadExactlyWhenEveryByteBelongsToOneTensor() {
        SplittableRandom random = new SplittableRandom(4);
        Map<CorruptionKind, Integer> refusals = new EnumMap<>(CorruptionKind.class);
        int accepted = 0;
        for (int i = 0; i < 20_000; i++) {
            int dataBytes = random.nextInt(1, 7);
            int[] owners = new int[32];
            byte[] header = layout(random, dataBytes, owners).getBytes(StandardCharsets.UTF_8);
            boolean sound =
                    Arrays.stream(owners, 0, dataBytes).allMatch(count -> count == 1)
                            && Arrays.stream(owners, dataBytes, owners.length)
                                    .allMatch(count -> count == 0);
            try {
                SafetensorsHeader.parse(FILE, header, dataBytes);
                assertThat(sound).isTrue();
                accepted++;
            } catch (CorruptCheckpointException e) {
                assertThat(sound).isFalse();
                refusals.merge(e.kind(), 1, Integer::sum);
            }
        }
        assertThat(accepted).isGreaterThan(100);
        assertThat(refusals)
                .containsOnlyKeys(
                        CorruptionKind.INVALID_OFFSET,
                        CorruptionKind.OVERLAP,
                        CorruptionKind.METADATA_INCOMPLETE_BUFFER);
    }

    /// A few tensors of bytes at places that often fit together.
    private static String layout(SplittableRandom random, int dataBytes, int[] owners) {
        StringBuilder json = new StringBuilder("{");
        int end = 0;
        for (int tensor = 0; tensor < 6 && end < dataBytes; tensor++) {
            int begin = Math.max(0, end + (random.nextInt(8) == 0 ? random.nextInt(-2, 3) : 0));
            int length = random.nextInt(1, 4);
            end = begin + length;
            for (int at = begin; at < end; at++) {
                owners[at]++;
            }
            json.append(tensor == 0 ? "" : ",")
                    .append(
                            "\"%d\":{\"dtype\":\"U8\",\"shape\":[%d],\"data_offsets\":[%d,%d]}"
                                    .formatted(9 - tensor, length, begin, end));
        }
        return json.append("}").toString();
    }

    private static byte[] damaged(SplittableRandom random) {
        byte[] header = HEADER.getBytes(StandardCharsets.UTF_8);
        for (int edits = random.nextInt(1, 4); edits > 0; edits--) {
            header = random.nextBoolean() ? renumbered(header, random) : edited(header, random);
        }
        return header;
    }

    /// Another number in the place of one digit, so that sizes and offsets disagree.
    private static byte[] renumbered(byte[] header, SplittableRandom random) {
        byte[] result = header.clone();
        int at = random.nextInt(result.length);
        while (at < result.length && !(result[at] >= '0' && result[at] <= '9')) {
            at++;
        }
        if (at < result.length) {
            result[at] = (byte) ('0' + random.nextInt(10));
        }
        return result;
    }

    private static byte[] edited(byte[] header, SplittableRandom random) {
        int from = random.nextInt(header.length + 1);
        int to = Math.min(header.length, from + random.nextInt(8));
        byte[] put =
                switch (random.nextInt(4)) {
                    case 0 -> new byte[0];
                    case 1 -> new byte[] {(byte) random.nextInt(256)};
                    case 2 ->
                            TOKENS.get(random.nextInt(TOKENS.size()))
                                    .getBytes(StandardCharsets.UTF_8);
                    default -> copied(header, random);
                };
        byte[] result = new byte[header.length - (to - from) + put.length];
        System.arraycopy(header, 0, result, 0, from);
        System.arraycopy(put, 0, result, from, put.length);
        System.arraycopy(header, to, result, from + put.length, header.length - to);
        return result.length == 0 ? header : result;
    }

    private static byte[] copied(byte[] header, SplittableRandom random) {
        int from = random.nextInt(header.length);
        int to = from + random.nextInt(header.length - from);
        return Arrays.copyOfRange(header, from, to);
    }

    private static void checkCoversTheData(SafetensorsHeader header) {
        int[] owners = new int[DATA_BYTES];
        for (TensorInfo tensor : header.tensors().values()) {
            assertThat(tensor.bytes()).isEqualTo(tensor.spec().bytes());
            for (long at = tensor.begin(); at < tensor.end(); at++) {
                owners[(int) at]++;
            }
        }
        assertThat(owners).containsOnly(1);
    }
}
