package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// Compares what a model's `config.json` says about its build with what another's says, at the top,
/// in its towers and of its rotary positions. Keys that only one of the two has are not compared:
/// different library versions write different ones.
final class ConfigComparison {
    private static final String VOCAB_SIZE = "vocab_size";
    private static final String TIED = "tie_word_embeddings";

    /// How many layers there are, as the families call it.
    private static final Set<String> LAYERS =
            Set.of("num_hidden_layers", "num_layers", "num_decoder_layers", "n_layer", "n_layers");

    private static final List<String> BUILD =
            List.of(
                    "model_type",
                    "hidden_size",
                    "d_model",
                    "n_embd",
                    "dim",
                    "num_hidden_layers",
                    "num_layers",
                    "num_decoder_layers",
                    "n_layer",
                    "n_layers",
                    "num_attention_heads",
                    "num_heads",
                    "n_head",
                    "n_heads",
                    "num_key_value_heads",
                    "head_dim",
                    "d_kv",
                    "intermediate_size",
                    "d_ff",
                    "n_inner",
                    "hidden_dim",
                    VOCAB_SIZE,
                    "type_vocab_size",
                    "hidden_act",
                    "activation",
                    "activation_function",
                    "feed_forward_proj",
                    "position_embedding_type",
                    "relative_attention_num_buckets",
                    "relative_attention_max_distance",
                    "layer_norm_eps",
                    "layer_norm_epsilon",
                    "rms_norm_eps",
                    "patch_size",
                    "image_size",
                    "num_channels",
                    "projection_dim",
                    TIED);

    /// Objects that hold the build of a tower.
    private static final List<String> TOWERS = List.of("vision_config", "text_config");

    /// Families whose files say that embeddings are tied when they are not: transformers 5 writes
    /// it for all, and a head of its own in the file says that they are not.
    private static final Set<String> TIED_IN_NAME = Set.of("t5", "mt5");

    private static final String ROTARY_BASE = "rope_theta";
    private static final String ROTARY_KIND = "rope_type";

    /// Where rotary positions are described: as transformers 5 does it, then as those before.
    private static final List<String> ROTARY = List.of("rope_parameters", "rope_scaling");

    private static final List<String> ROTARY_FACTORS =
            List.of(
                    "factor",
                    "attention_factor",
                    "low_freq_factor",
                    "high_freq_factor",
                    "beta_fast",
                    "beta_slow",
                    "original_max_position_embeddings");

    private ConfigComparison() {}

    /// What an expert says otherwise than the base it was tuned from.
    ///
    /// @param vocabulary whether the size of the vocabulary is compared here
    static List<Fault> faults(JsonNode base, Member member, boolean vocabulary) {
        return new Comparison(member, "the base: tuned from another model?", vocabulary, true)
                .of(base);
    }

    /// What a model says otherwise than another whose layers its own are to stand among. How many
    /// layers it has does not matter, nor how many tokens.
    ///
    /// @param other the other model's name
    static List<Fault> faultsAmongLayers(JsonNode config, String other, Member member) {
        return new Comparison(
                        member,
                        other + ": layers of another build do not fit between its own",
                        false,
                        false)
                .of(config);
    }

    /// @param as whom it is compared with, in words
    private record Comparison(Member member, String as, boolean vocabulary, boolean layers) {
        List<Fault> of(JsonNode base) {
            JsonNode expert = member.expert().config();
            List<Fault> faults = new ArrayList<>();
            compareAll("", base, expert, faults);
            for (String tower : TOWERS) {
                compareAll(tower + ".", base.path(tower), expert.path(tower), faults);
            }
            Map<String, JsonNode> rotary = rotary(base);
            rotary(expert)
                    .forEach((key, found) -> {
                        JsonNode wanted = rotary.get(key);
                        if (wanted != null) {
                            compare(key, wanted, found, faults);
                        }
                    });
            return faults;
        }

        /// What a configuration says of rotary positions, whichever version wrote it.
        private static SortedMap<String, JsonNode> rotary(JsonNode config) {
            SortedMap<String, JsonNode> said = new TreeMap<>();
            if (config.has(ROTARY_BASE)) {
                said.put(ROTARY_BASE, config.path(ROTARY_BASE));
                said.put(ROTARY_KIND, TextNode.valueOf("default"));
            }
            for (String place : ROTARY.reversed()) {
                JsonNode described = config.path(place);
                if (described.isObject()) {
                    if (described.has(ROTARY_BASE)) {
                        said.put(ROTARY_BASE, described.path(ROTARY_BASE));
                    }
                    String kind = described.path("type").asText("default");
                    said.put(
                            ROTARY_KIND,
                            TextNode.valueOf(described.path(ROTARY_KIND).asText(kind)));
                    ROTARY_FACTORS.stream()
                            .filter(described::has)
                            .forEach(key -> said.put(key, described.path(key)));
                }
            }
            return said;
        }

        private void compareAll(String prefix, JsonNode base, JsonNode expert, List<Fault> faults) {
            for (String key : BUILD) {
                boolean unsure =
                        key.equals(TIED) && TIED_IN_NAME.contains(base.path("model_type").asText());
                if (unsure
                        || (key.equals(VOCAB_SIZE) && !vocabulary)
                        || (LAYERS.contains(key) && !layers)) {
                    continue;
                }
                compare(prefix + key, base.path(key), expert.path(key), faults);
            }
        }

        private void compare(String key, JsonNode wanted, JsonNode found, List<Fault> faults) {
            if (wanted.isValueNode() && found.isValueNode() && !same(wanted, found)) {
                faults.add(
                        new Fault(
                                FailureCode.ARCHITECTURE_MISMATCH,
                                member.task() + " config.json",
                                "%s is %s, expected %s as in %s"
                                        .formatted(key, found, wanted, as)));
            }
        }

        /// 1 and 1.0 are the same number.
        private static boolean same(JsonNode a, JsonNode b) {
            boolean numbers = a.isNumber() && b.isNumber();
            return numbers ? Double.compare(a.doubleValue(), b.doubleValue()) == 0 : a.equals(b);
        }
    }
}
