package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import java.util.ArrayList;
import java.util.List;

/// Compares what an expert's `config.json` says about its build with what the base's says. Keys
/// that only one of the two has are not compared: different library versions write different ones.
final class ConfigComparison {
    private static final String VOCAB_SIZE = "vocab_size";
    private static final List<String> BUILD =
            List.of(
                    "model_type",
                    "hidden_size",
                    "d_model",
                    "n_embd",
                    "num_hidden_layers",
                    "num_layers",
                    "n_layer",
                    "num_attention_heads",
                    "n_head",
                    "num_key_value_heads",
                    "head_dim",
                    "intermediate_size",
                    "d_ff",
                    VOCAB_SIZE,
                    "type_vocab_size",
                    "hidden_act",
                    "position_embedding_type",
                    "layer_norm_eps",
                    "rms_norm_eps",
                    "tie_word_embeddings");

    private ConfigComparison() {}

    /// @param vocabulary whether the size of the vocabulary is compared here
    static List<Fault> faults(JsonNode base, Member member, boolean vocabulary) {
        JsonNode expert = member.expert().config();
        List<Fault> faults = new ArrayList<>();
        for (String key : BUILD) {
            if (key.equals(VOCAB_SIZE) && !vocabulary) {
                continue;
            }
            JsonNode wanted = base.path(key);
            JsonNode found = expert.path(key);
            if (wanted.isValueNode() && found.isValueNode() && !same(wanted, found)) {
                faults.add(
                        new Fault(
                                FailureCode.ARCHITECTURE_MISMATCH,
                                member.task() + " config.json",
                                "%s is %s, expected %s as in the base: tuned from another model?"
                                        .formatted(key, found, wanted)));
            }
        }
        return faults;
    }

    /// 1 and 1.0 are the same number.
    private static boolean same(JsonNode a, JsonNode b) {
        boolean numbers = a.isNumber() && b.isNumber();
        return numbers ? Double.compare(a.doubleValue(), b.doubleValue()) == 0 : a.equals(b);
    }
}
