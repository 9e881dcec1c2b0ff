package dev.tributary.cli;

import dev.tributary.models.OnnxBertExtractor;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Makes a base of an encoder that comes as ONNX, as in Java libraries of sentence embeddings.
@Command(
        name = "import-onnx",
        mixinStandardHelpOptions = true,
        description = {
            "Writes a BERT encoder that was exported to ONNX as a Hugging Face directory: a base to"
                    + " fine-tune experts from.",
            "The weights are the same numbers under their Hugging Face names, in float32."
        },
        footerHeading = "%nExamples:%n",
        footer =
                "  tributary import-onnx --onnx model.onnx --tokenizer tokenizer.json --out bases/bge")
final class ImportOnnxCommand implements Callable<Integer> {
    @Option(names = "--onnx", required = true, paramLabel = "FILE", description = "The model.")
    @Nullable Path onnx;

    @Option(
            names = "--tokenizer",
            required = true,
            paramLabel = "FILE",
            description = "Its tokenizer.json.")
    @Nullable Path tokenizer;

    @Option(
            names = "--heads",
            paramLabel = "N",
            defaultValue = "12",
            description =
                    "Attention heads, the one size that weights do not tell (default:"
                            + " ${DEFAULT-VALUE}).")
    int heads = 12;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "Directory to write; it must not exist.")
    @Nullable Path out;

    @Override
    public Integer call() throws IOException {
        Path model = Objects.requireNonNull(onnx);
        Path vocabulary = Objects.requireNonNull(tokenizer);
        Path target = Objects.requireNonNull(out).toAbsolutePath().normalize();
        refuseFaults(model, vocabulary, target);
        Files.createDirectories(Objects.requireNonNull(target.getParent()));
        Path partial = target.resolveSibling(target.getFileName() + ".partial");
        FileTrees.delete(partial);
        try (InputStream weights = Files.newInputStream(model);
                InputStream words = Files.newInputStream(vocabulary)) {
            OnnxBertExtractor.extract(weights, words, heads, partial);
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            FileTrees.delete(partial);
        }
        System.out.println("base written to " + target);
        return 0;
    }

    private void refuseFaults(Path model, Path vocabulary, Path target) {
        List<Fault> faults = new ArrayList<>();
        if (!Files.isRegularFile(model)) {
            faults.add(fault("--onnx " + model, "is no file, expected a model exported to ONNX"));
        }
        if (!Files.isRegularFile(vocabulary)) {
            faults.add(fault("--tokenizer " + vocabulary, "is no file, expected a tokenizer.json"));
        }
        if (heads < 1) {
            faults.add(fault("--heads", "%d, expected 1 or more".formatted(heads)));
        }
        if (Files.exists(target)) {
            faults.add(
                    fault(
                            "--out " + out,
                            "exists already, expected a new directory: choose another name or remove it"));
        }
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
    }

    private static Fault fault(String where, String sentence) {
        return new Fault(FailureCode.BAD_OPTION, where, sentence);
    }
}
