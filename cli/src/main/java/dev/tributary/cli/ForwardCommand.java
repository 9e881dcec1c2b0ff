package dev.tributary.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.models.Batch;
import dev.tributary.models.Outputs;
import dev.tributary.models.RunningModel;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.TensorSpec;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Runs a checkpoint on given token ids and writes what comes out, to compare this runtime with
/// another.
@Command(
        name = "forward",
        mixinStandardHelpOptions = true,
        description = {
            "Runs a checkpoint on given token ids and writes its logits (or embeddings).",
            "The inputs are JSON with input_ids, attention_mask and token_type_ids, each a list of rows of"
                    + " equal length; the last two may be left out."
        },
        footerHeading = "%nExamples:%n",
        footer =
                "  tributary forward --checkpoint DIR --inputs inputs.json --out logits.safetensors")
final class ForwardCommand implements Callable<Integer> {
    @Option(
            names = "--checkpoint",
            required = true,
            paramLabel = "DIR",
            description = "Hugging Face directory.")
    @Nullable Path checkpoint;

    @Option(
            names = "--inputs",
            required = true,
            paramLabel = "FILE",
            description = "inputs.json with input_ids, attention_mask, token_type_ids.")
    @Nullable Path inputs;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE",
            description = "safetensors file to write: tensor `logits` or `embeddings`, float32.")
    @Nullable Path out;

    @Override
    public Integer call() throws IOException {
        Path from = Objects.requireNonNull(inputs);
        Batch batch = batch(new ObjectMapper().readTree(from.toFile()), from);
        try (Checkpoint opened = Checkpoint.open(Objects.requireNonNull(checkpoint));
                RunningModel model = RunningModel.open(opened)) {
            Outputs outputs = model.forward(batch);
            String name = outputs.kind() == Outputs.Kind.LOGITS ? "logits" : "embeddings";
            write(outputs, name);
            System.out.println(
                    "%s [%d, %d] written to %s"
                            .formatted(name, outputs.rows(), outputs.columns(), out));
        }
        return 0;
    }

    private void write(Outputs outputs, String name) {
        List<Long> shape = List.of((long) outputs.rows(), (long) outputs.columns());
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        Objects.requireNonNull(out),
                        List.of(new TensorSpec(name, Dtype.F32, shape)),
                        CheckpointWriter.PYTORCH)) {
            writer.write(name, MemorySegment.ofArray(outputs.values()));
            writer.finish();
        }
    }

    private static Batch batch(JsonNode json, Path file) {
        JsonNode ids = json.get("input_ids");
        if (ids == null || !ids.isArray() || ids.isEmpty() || ids.get(0).isEmpty()) {
            throw refused(file, "has no input_ids, expected a list of rows of token ids");
        }
        int rows = ids.size();
        int length = ids.get(0).size();
        long[] ones = new long[rows * length];
        Arrays.fill(ones, 1);
        return new Batch(
                rows,
                length,
                cells(ids, "input_ids", rows, length, file),
                json.has("attention_mask")
                        ? cells(json.get("attention_mask"), "attention_mask", rows, length, file)
                        : ones,
                json.has("token_type_ids")
                        ? cells(json.get("token_type_ids"), "token_type_ids", rows, length, file)
                        : new long[rows * length]);
    }

    private static long[] cells(JsonNode matrix, String name, int rows, int length, Path file) {
        long[] cells = new long[rows * length];
        if (matrix.size() != rows) {
            throw refused(file, "%s has %d rows, expected %d".formatted(name, matrix.size(), rows));
        }
        for (int row = 0; row < rows; row++) {
            if (matrix.get(row).size() != length) {
                throw refused(
                        file,
                        "%s row %d has %d columns, expected %d"
                                .formatted(name, row, matrix.get(row).size(), length));
            }
            for (int column = 0; column < length; column++) {
                cells[row * length + column] = matrix.get(row).get(column).asLong();
            }
        }
        return cells;
    }

    private static RefusedException refused(Path file, String sentence) {
        return new RefusedException(
                List.of(new Fault(FailureCode.BAD_OPTION, file.toString(), sentence)));
    }
}
