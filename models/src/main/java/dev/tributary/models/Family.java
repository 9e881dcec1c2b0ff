package dev.tributary.models;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/// The families of models that can be run here: the place to add one.
@SuppressWarnings("ImmutableEnumChecker") // what it holds is never changed
public enum Family {
    /// Encoders as BERT's.
    BERT(reader -> EncoderConfig.read(reader, EncoderLayout.BERT), "bert"),
    /// Encoders as RoBERTa's.
    ROBERTA(
            reader -> EncoderConfig.read(reader, EncoderLayout.ROBERTA),
            "roberta",
            "xlm-roberta",
            "camembert"),
    /// Encoders as DistilBERT's.
    DISTILBERT(reader -> EncoderConfig.read(reader, EncoderLayout.DISTILBERT), "distilbert"),
    /// Decoders as Llama's.
    LLAMA(DecoderConfig::llama, "llama"),
    /// Decoders as Mistral's.
    MISTRAL(DecoderConfig::mistral, "mistral"),
    /// Decoders as Qwen2's and Qwen2.5's.
    QWEN2(DecoderConfig::qwen2, "qwen2"),
    /// Encoder-decoders as T5's.
    T5(EncoderDecoderConfig::read, "t5", "mt5"),
    /// Vision transformers as ViT.
    VIT(VisionConfig::vit, "vit"),
    /// The image side of CLIP.
    CLIP(VisionConfig::clipVision, "clip_vision_model"),
    /// The image side of CLIP with a classifier.
    CLIP_CLASSIFIER(VisionConfig::clip, "clip");

    private final Function<ConfigReader, ModelConfig> read;
    private final List<String> modelTypes;

    Family(Function<ConfigReader, ModelConfig> read, String... modelTypes) {
        this.read = read;
        this.modelTypes = List.of(modelTypes);
    }

    /// What `model_type` of a `config.json` calls it.
    public List<String> modelTypes() {
        return modelTypes;
    }

    ModelConfig read(ConfigReader reader) {
        return read.apply(reader);
    }

    /// The family a configuration belongs to.
    ///
    /// @throws RefusedException where it belongs to none of them
    static Family of(JsonNode config, String where) {
        String modelType = config.path("model_type").asText("");
        return Arrays.stream(values())
                .filter(family -> family.modelTypes.contains(modelType))
                .findFirst()
                .orElseThrow(() ->
                        new RefusedException(
                                new Fault(
                                        FailureCode.UNSUPPORTED_ARCHITECTURE,
                                        where,
                                        "model_type is '%s', expected one of %s: this family cannot be run here"
                                                .formatted(modelType, known()))));
    }

    private static List<String> known() {
        return Arrays.stream(values()).flatMap(f -> f.modelTypes.stream()).toList();
    }
}
