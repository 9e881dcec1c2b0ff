package dev.tributary.tensors;

import static dev.tributary.tensors.CorruptionKind.AMBIGUOUS_WEIGHTS;
import static dev.tributary.tensors.CorruptionKind.CONFIG_INVALID;
import static dev.tributary.tensors.CorruptionKind.CONFIG_MISSING;
import static dev.tributary.tensors.CorruptionKind.DUPLICATE_KEY;
import static dev.tributary.tensors.CorruptionKind.INDEX_INVALID;
import static dev.tributary.tensors.CorruptionKind.INDEX_MISMATCH;
import static dev.tributary.tensors.CorruptionKind.INDEX_UNSAFE_NAME;
import static dev.tributary.tensors.CorruptionKind.NOT_A_REGULAR_FILE;
import static dev.tributary.tensors.CorruptionKind.NO_WEIGHTS;
import static dev.tributary.tensors.CorruptionKind.SHARD_MISSING;
import static dev.tributary.tensors.CorruptionKind.SYMLINK_OUT;
import static dev.tributary.tensors.CorruptionKind.TENSOR_IN_TWO_SHARDS;
import static dev.tributary.tensors.CorruptionKind.UNSAFE_FORMAT;
import static dev.tributary.tensors.HostileFile.bytes;
import static dev.tributary.tensors.HostileFile.index;
import static dev.tributary.tensors.HostileFile.oneFloat;
import static dev.tributary.tensors.HostileFile.safetensors;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Checkpoint folders nobody should trust because of the files in them, each with the way in which
/// it has to be refused.
final class HostileFolders {
    private HostileFolders() {}

    static Stream<HostileFile> all() {
        return Stream.of(formats(), folders(), indexes()).flatMap(List::stream);
    }

    private static List<HostileFile> formats() {
        return List.of(
                bytes("pickle, protocol 2", UNSAFE_FORMAT, hex("80027d71002e000000000000")),
                bytes("pickle, protocol 3", UNSAFE_FORMAT, hex("80037d71002e000000000000")),
                bytes("pickle, protocol 4", UNSAFE_FORMAT, hex("80049503000000000000008c")),
                bytes("pickle, protocol 5", UNSAFE_FORMAT, hex("80059503000000000000008c")),
                bytes("old torch.save", UNSAFE_FORMAT, hex("80028a0a6cfc9c46f9206aa850192e80")),
                bytes("zip, as torch.save writes it", UNSAFE_FORMAT, zip()),
                bytes("gzip", UNSAFE_FORMAT, gzip()),
                bytes("zstandard", UNSAFE_FORMAT, hex("28b52ffd0058810000")),
                bytes("7z", UNSAFE_FORMAT, hex("377abcaf271c0004")),
                bytes("tar", UNSAFE_FORMAT, tar()),
                bytes("GGUF", UNSAFE_FORMAT, hex("47475546030000000000000000000000")),
                bytes("HDF5", UNSAFE_FORMAT, hex("894844460d0a1a0a0000000000080800")),
                bytes("NumPy array", UNSAFE_FORMAT, hex("934e554d5059010076007b2764657363")),
                bytes("serialised Java object", UNSAFE_FORMAT, hex("aced00057372001164656d6f")),
                new HostileFile(
                        "weights as a pickle only",
                        UNSAFE_FORMAT,
                        folder -> Files.write(folder.resolve("pytorch_model.bin"), zip())),
                new HostileFile(
                        "pickle as a shard",
                        UNSAFE_FORMAT,
                        folder -> {
                            Files.write(folder.resolve("a.safetensors"), zip());
                            Files.writeString(
                                    folder.resolve("model.safetensors.index.json"),
                                    "{\"weight_map\":{\"a\":\"a.safetensors\"}}");
                        }));
    }

    private static List<HostileFile> folders() {
        return List.of(
                new HostileFile("no weights", NO_WEIGHTS, _ -> {}),
                new HostileFile(
                        "folder as the file",
                        NOT_A_REGULAR_FILE,
                        folder -> Files.createDirectory(folder.resolve("model.safetensors"))),
                new HostileFile(
                        "pipe as the file",
                        NOT_A_REGULAR_FILE,
                        folder -> makePipe(folder.resolve("model.safetensors"))),
                new HostileFile(
                        "pipe as the config",
                        NOT_A_REGULAR_FILE,
                        folder -> {
                            Files.delete(folder.resolve("config.json"));
                            makePipe(folder.resolve("config.json"));
                        }),
                new HostileFile(
                        "device behind a link",
                        SYMLINK_OUT,
                        folder -> link(folder, "model.safetensors", Path.of("/dev/zero"))),
                new HostileFile(
                        "link out of the folder",
                        SYMLINK_OUT,
                        folder -> {
                            Path outside = Files.createTempFile("outside", ".safetensors");
                            outside.toFile().deleteOnExit();
                            Files.write(outside, oneFloat("x"));
                            link(folder, "model.safetensors", outside);
                        }),
                new HostileFile(
                        "relative link out of the folder",
                        SYMLINK_OUT,
                        folder -> link(folder, "model.safetensors", Path.of("..", ".."))),
                new HostileFile(
                        "link to nothing",
                        NOT_A_REGULAR_FILE,
                        folder -> link(folder, "model.safetensors", Path.of("absent"))),
                new HostileFile(
                        "link to itself",
                        NOT_A_REGULAR_FILE,
                        folder -> link(folder, "model.safetensors", Path.of("model.safetensors"))),
                new HostileFile(
                        "link to a folder inside",
                        NOT_A_REGULAR_FILE,
                        folder -> {
                            Files.createDirectory(folder.resolve("inside"));
                            link(folder, "model.safetensors", Path.of("inside"));
                        }),
                new HostileFile(
                        "no config",
                        CONFIG_MISSING,
                        folder -> Files.delete(folder.resolve("config.json"))),
                config("config of a list", "[]"),
                config("empty config", ""),
                config("config with a key twice", "{\"a\":1,\"a\":2}"),
                config("config a million deep", "[".repeat(1_000_000)),
                config("config of five megabytes", "{\"a\":\"" + "a".repeat(5 << 20) + "\"}"),
                config("text after the config", "{} {}"));
    }

    private static List<HostileFile> indexes() {
        return List.of(
                index("index of a list", INDEX_INVALID, "[]"),
                index("index that ends early", INDEX_INVALID, "{\"weight_map\":{\"a\":"),
                index("no weight map", INDEX_INVALID, "{\"metadata\":{\"total_size\":8}}"),
                index("empty weight map", INDEX_INVALID, "{\"weight_map\":{}}"),
                index("weight map of a list", INDEX_INVALID, "{\"weight_map\":[]}"),
                index("shard of a number", INDEX_INVALID, "{\"weight_map\":{\"a\":1}}"),
                map("shard above the folder", INDEX_UNSAFE_NAME, "../a.safetensors"),
                map("absolute shard", INDEX_UNSAFE_NAME, "/a.safetensors"),
                map("shard in a folder below", INDEX_UNSAFE_NAME, "sub/a.safetensors"),
                map("shard with a backslash", INDEX_UNSAFE_NAME, "..\\\\a.safetensors"),
                map("shard with a NUL", INDEX_UNSAFE_NAME, "a\\u0000.safetensors"),
                map("shard of another kind", INDEX_UNSAFE_NAME, "a.bin"),
                map("shard with an address", INDEX_UNSAFE_NAME, "http://h/a.safetensors"),
                map("hidden shard", INDEX_UNSAFE_NAME, ".a.safetensors"),
                map("missing shard", SHARD_MISSING, "c.safetensors"),
                index(
                        "tensor listed twice",
                        DUPLICATE_KEY,
                        "{\"weight_map\":{\"a\":\"a.safetensors\",\"a\":\"b.safetensors\"}}"),
                index(
                        "two weight maps",
                        DUPLICATE_KEY,
                        "{\"weight_map\":{\"a\":\"a.safetensors\"},\"weight_map\":{}}"),
                index(
                        "tensors in each other's shards",
                        INDEX_MISMATCH,
                        "{\"weight_map\":{\"a\":\"b.safetensors\",\"b\":\"a.safetensors\"}}"),
                index(
                        "tensor that no shard has",
                        INDEX_MISMATCH,
                        "{\"weight_map\":{\"a\":\"a.safetensors\",\"c\":\"a.safetensors\"}}"),
                index(
                        "tensor the index does not list",
                        INDEX_MISMATCH,
                        "{\"weight_map\":{\"b\":\"a.safetensors\",\"a\":\"a.safetensors\"}}"),
                new HostileFile(
                        "tensor in two shards",
                        TENSOR_IN_TWO_SHARDS,
                        folder -> {
                            good(folder);
                            Files.write(folder.resolve("b.safetensors"), bothTensors());
                        }),
                new HostileFile(
                        "file and index side by side",
                        AMBIGUOUS_WEIGHTS,
                        folder -> {
                            good(folder);
                            Files.write(folder.resolve("model.safetensors"), bothTensors());
                        }));
    }

    private static void good(Path folder) throws IOException {
        index(
                        "good",
                        INDEX_INVALID,
                        "{\"weight_map\":{\"a\":\"a.safetensors\",\"b\":\"b.safetensors\"}}")
                .damage()
                .to(folder);
    }

    private static HostileFile config(String name, String content) {
        return new HostileFile(
                name,
                CONFIG_INVALID,
                folder -> Files.writeString(folder.resolve("config.json"), content));
    }

    private static HostileFile map(String name, CorruptionKind expected, String shard) {
        return index(
                name,
                expected,
                "{\"weight_map\":{\"a\":\"%s\",\"b\":\"b.safetensors\"}}".formatted(shard));
    }

    private static byte[] bothTensors() {
        return safetensors(HostileHeaders.two("[0,4]", "[4,8]"), 8);
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }

    static byte[] zip() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            zip.putNextEntry(new ZipEntry("archive/data.pkl"));
            zip.write(hex("80027d71002e"));
            zip.closeEntry();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static byte[] gzip() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(oneFloat("x"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static byte[] tar() {
        byte[] bytes = new byte[1024];
        System.arraycopy("pytorch_model".getBytes(StandardCharsets.US_ASCII), 0, bytes, 0, 13);
        System.arraycopy("ustar".getBytes(StandardCharsets.US_ASCII), 0, bytes, 257, 5);
        return bytes;
    }

    private static void link(Path folder, String name, Path target) throws IOException {
        Files.createSymbolicLink(folder.resolve(name), target);
    }

    private static void makePipe(Path pipe) throws IOException {
        try {
            int exit = new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor();
            if (exit != 0) {
                throw new IOException("mkfifo ended with %d".formatted(exit));
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
