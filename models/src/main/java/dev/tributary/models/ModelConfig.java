package dev.tributary.models;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The size and kind of a model, from a checkpoint's `config.json` (as `transformers` 4 or 5 writes
/// it).
///
/// @param architecture the class the checkpoint was saved from, e.g.
///   `BertForSequenceClassification`
/// @param layers transformer layers
/// @param hidden width of the hidden states
/// @param heads attention heads a layer
/// @param intermediate width inside the feed-forward network
/// @param vocabulary rows of the word embedding
/// @param maxPositions longest input in tokens
/// @param tokenTypes rows of the token type embedding
/// @param layerNormEpsilon added to the variance in layer norms
/// @param activation of the feed-forward network
/// @param labels by id; empty where the model classifies nothing
public record ModelConfig(
        String architecture,
        int layers,
        int hidden,
        int heads,
        int intermediate,
        int vocabulary,
        int maxPositions,
        int tokenTypes,
        double layerNormEpsilon,
        Activation activation,
        List<String> labels) {

    /// The function between the two halves of a feed-forward network.
    public enum Activation {
        /// Gaussian error linear unit, exact (Hendrycks & Gimpel 2016).
        GELU("gelu"),
        /// Its approximation by tanh.
        GELU_TANH("gelu_new"),
        /// Rectified linear unit.
        RELU("relu");

        private final String key;

        Activation(String key) {
            this.key = key;
        }

        /// Its name in `config.json`.
        public String key() {
            return key;
        }

        static Optional<Activation> of(String key) {
            return switch (key) {
                case "gelu" -> Optional.of(GELU);
                case "gelu_new", "gelu_pytorch_tanh" -> Optional.of(GELU_TANH);
                case "relu" -> Optional.of(RELU);
                default -> Optional.empty();
            };
        }
    }

    public ModelConfig {
        labels = List.copyOf(labels);
    }

    /// How many tokens of a task's inputs this model can take.
    public int tokensFor(TaskDefinition task) {
        return Math.min(task.maxTokens(), maxPositions);
    }

    /// Reads a configuration, or refuses it with everything that is wrong with it.
    ///
    /// @param where what to call the file in a fault
    public static ModelConfig of(JsonNode config, String where) {
        return new Reader(config, where).read();
    }

    private static final class Reader {
        private final JsonNode config;
        private final String where;
        private final List<Fault> faults = new ArrayList<>();

        Reader(JsonNode config, String where) {
            this.config = config;
            this.where = where;
        }

        ModelConfig read() {
            String modelType = config.path("model_type").asText("");
            String architecture = config.path("architectures").path(0).asText("BertModel");
            if (!modelType.equals("bert")) {
                refuse(
                        "model_type is '%s', expected one of [bert]: this family cannot be run here"
                                .formatted(modelType));
            }
            String positions = config.path("position_embedding_type").asText("absolute");
            if (!positions.equals("absolute")) {
                refuse("position_embedding_type is '%s', expected 'absolute'".formatted(positions));
            }
            int hidden = size("hidden_size");
            int heads = size("num_attention_heads");
            if (heads > 0 && hidden % heads != 0) {
                refuse("hidden_size %d is no multiple of %d heads".formatted(hidden, heads));
            }
            ModelConfig read =
                    new ModelConfig(
                            architecture,
                            size("num_hidden_layers"),
                            hidden,
                            heads,
                            size("intermediate_size"),
                            size("vocab_size"),
                            size("max_position_embeddings"),
                            size("type_vocab_size"),
                            config.path("layer_norm_eps").asDouble(1e-12),
                            activation(),
                            labels(architecture));
            if (!faults.isEmpty()) {
                throw new RefusedException(faults);
            }
            return read;
        }

        private int size(String key) {
            JsonNode value = config.path(key);
            if (!value.isInt() || value.intValue() < 1) {
                refuse("%s is %s, expected a positive integer".formatted(key, text(value)));
                return 0;
            }
            return value.intValue();
        }

        private Activation activation() {
            String key = config.path("hidden_act").asText("gelu");
            Optional<Activation> activation = Activation.of(key);
            if (activation.isEmpty()) {
                refuse("hidden_act is '%s', expected one of [gelu, gelu_new, relu]".formatted(key));
            }
            return activation.orElse(Activation.GELU);
        }

        /// Labels in the order of their ids; what `transformers` assumes where none are given.
        private List<String> labels(String architecture) {
            if (!architecture.endsWith("ForSequenceClassification")) {
                return List.of();
            }
            JsonNode names = config.path("id2label");
            int count = names.isObject() ? names.size() : config.path("num_labels").asInt(2);
            List<String> labels = new ArrayList<>();
            for (int id = 0; id < count; id++) {
                JsonNode name = names.path(Integer.toString(id));
                if (names.isObject() && !name.isTextual()) {
                    refuse("id2label has %d entries but none for id %d".formatted(count, id));
                }
                labels.add(name.asText("LABEL_" + id));
            }
            return labels;
        }

        private void refuse(String sentence) {
            faults.add(new Fault(FailureCode.UNSUPPORTED_ARCHITECTURE, where, sentence));
        }

        private static String text(JsonNode value) {
            return value.isMissingNode() ? "missing" : value.toString();
        }
    }
}
