package dev.tributary.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.tensors.Checkpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// A small random model with what `transformers` computed for it.
record Fixture(Path folder) {
    private static final JsonMapper JSON = new JsonMapper();

    static Fixture named(String name) {
        try {
            return new Fixture(Path.of(Fixture.class.getResource("/" + name).toURI()));
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    JsonNode json(String file) {
        try {
            return JSON.readTree(Files.readString(folder.resolve(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Batch batch() {
        JsonNode inputs = json("inputs.json");
        int rows = inputs.path("input_ids").size();
        int length = inputs.path("input_ids").path(0).size();
        return new Batch(
                rows,
                length,
                flatten(inputs.path("input_ids")),
                flatten(inputs.path("attention_mask")),
                inputs.has("token_type_ids")
                        ? flatten(inputs.path("token_type_ids"))
                        : new long[rows * length]);
    }

    /// The rows of a list of lists of numbers.
    static long[][] rows(JsonNode rows) {
        long[][] all = new long[rows.size()][];
        for (int i = 0; i < all.length; i++) {
            all[i] = new long[rows.path(i).size()];
            for (int k = 0; k < all[i].length; k++) {
                all[i][k] = rows.path(i).path(k).asLong();
            }
        }
        return all;
    }

    /// What was generated.
    long[][] generated() {
        return rows(json("expected.json").path("generated"));
    }

    int[] labels() {
        return java.util.stream.StreamSupport.stream(
                        json("inputs.json").path("labels").spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
    }

    /// Rows of tables whose gradient `transformers` keeps at zero because they belong to padding,
    /// by tensor. Here it is the true one, which matters where a row of a batch starts with
    /// padding.
    Map<String, Integer> rowsWithoutGradient() {
        Map<String, Integer> rows = new TreeMap<>();
        json("expected.json")
                .path("grad_rows_zero_by_padding_idx")
                .properties()
                .forEach(entry -> rows.put(entry.getKey(), entry.getValue().path(0).asInt()));
        return rows;
    }

    private static long[] flatten(JsonNode rows) {
        return java.util.stream.StreamSupport.stream(rows.spliterator(), false)
                .flatMap(row -> java.util.stream.StreamSupport.stream(row.spliterator(), false))
                .mapToLong(JsonNode::asLong)
                .toArray();
    }

    /// A safetensors file of the fixture, opened as if it were a checkpoint of its own.
    Checkpoint tensors(String file, Path scratch) {
        try {
            Path folder = Files.createDirectories(scratch.resolve(file));
            Files.copy(folder().resolve("config.json"), folder.resolve("config.json"));
            Files.copy(folder().resolve(file), folder.resolve("model.safetensors"));
            return Checkpoint.open(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static float[] floats(Checkpoint checkpoint, String name) {
        float[] values =
                new float
                        [Math.toIntExact(
                                Objects.requireNonNull(checkpoint.tensors().get(name)).elements())];
        checkpoint.readFloats(name, 0, MemorySegment.ofArray(values));
        return values;
    }

    static float[] floats(MemorySegment segment) {
        return segment.toArray(java.lang.foreign.ValueLayout.JAVA_FLOAT);
    }

    /// The mean over rows of the cross entropy against these labels.
    static LogitLoss crossEntropy(int[] labels) {
        return (logits, rows, columns, gradient) -> {
            double loss = 0;
            for (int row = 0; row < rows; row++) {
                double sum = 0;
                for (int c = 0; c < columns; c++) {
                    sum += Math.exp(logits[row * columns + c]);
                }
                loss -= logits[row * columns + labels[row]] - Math.log(sum);
                for (int c = 0; c < columns; c++) {
                    double p = Math.exp(logits[row * columns + c]) / sum;
                    gradient[row * columns + c] = (float) ((p - (c == labels[row] ? 1 : 0)) / rows);
                }
            }
            return loss / rows;
        };
    }

    /// Cross entropy of `embeddings @ probe^T`, with its derivative by the embeddings.
    static LogitLoss probed(float[] probe, int[] labels) {
        return (embeddings, rows, width, gradient) -> {
            int classes = probe.length / width;
            float[] logits = new float[rows * classes];
            for (int i = 0; i < logits.length; i++) {
                for (int k = 0; k < width; k++) {
                    logits[i] +=
                            embeddings[i / classes * width + k] * probe[i % classes * width + k];
                }
            }
            float[] upstream = new float[logits.length];
            double loss = crossEntropy(labels).apply(logits, rows, classes, upstream);
            for (int i = 0; i < logits.length; i++) {
                for (int k = 0; k < width; k++) {
                    gradient[i / classes * width + k] +=
                            upstream[i] * probe[i % classes * width + k];
                }
            }
            return loss;
        };
    }
}
