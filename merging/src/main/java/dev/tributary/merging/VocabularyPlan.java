package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// How the tokens of several models become those of one.
///
/// @param choice which tokens the merged model has
/// @param tokenizer the checkpoint whose tokenizer goes with it
/// @param tokens how many tokens it has
/// @param rows how many rows its word embeddings have
/// @param members what becomes of each expert's tokens, in the order of the plan's members
/// @param added tokens that are put into the tokenizer
/// @param alignments by canonical name of a tensor
/// @param digest of everything that determines which row goes where
public record VocabularyPlan(
        VocabularyChoice choice,
        Checkpoint tokenizer,
        int tokens,
        long rows,
        List<Share> members,
        List<Added> added,
        Map<String, RowAlignment> alignments,
        Digest digest) {
    private static final String VOCAB_SIZE = "vocab_size";
    private static final List<String> NESTED = List.of("text_config", "llm_config");
    private static final String TOKEN_ID = "_token_id";

    public VocabularyPlan {
        members = List.copyOf(members);
        added = List.copyOf(added);
        alignments = Map.copyOf(alignments);
    }

    /// What becomes of one expert's tokens.
    ///
    /// @param shared tokens of the merged model that it has
    /// @param missing tokens of the merged model that it lacks, where its task vector is zero
    /// @param leftOut its tokens that the merged model does not have
    /// @param examples the first of those left out
    public record Share(String task, int shared, int missing, int leftOut, List<String> examples) {
        public Share {
            examples = List.copyOf(examples);
        }
    }

    /// A token that the base lacks.
    ///
    /// @param entry what its expert's tokenizer says of it where it was added there; empty for one
    ///   of the tokenizer's model
    public record Added(String token, int id, Optional<JsonNode> entry) {}

    /// Which tokens the merged model has, as a recipe says it.
    public String source() {
        return choice.text();
    }

    /// Where the tokenizer's files are copied from.
    Path tokenizerFolder() {
        return tokenizer.directory();
    }

    Optional<RowAlignment> of(String tensor) {
        return Optional.ofNullable(alignments.get(tensor));
    }

    /// Puts the number of rows and the ids of special tokens into a configuration.
    void describe(ObjectNode config) {
        describe(config, tokenizer.config());
        for (String nested : NESTED) {
            if (config.get(nested) instanceof ObjectNode inner) {
                describe(inner, tokenizer.config().path(nested));
            }
        }
    }

    private void describe(ObjectNode config, JsonNode source) {
        if (config.has(VOCAB_SIZE)) {
            config.put(VOCAB_SIZE, rows);
        }
        TreeSet<String> keys = new TreeSet<>();
        config.fieldNames().forEachRemaining(keys::add);
        source.fieldNames().forEachRemaining(keys::add);
        for (String key : keys) {
            if (key.endsWith(TOKEN_ID)) {
                JsonNode id = source.get(key);
                if (id == null) {
                    config.remove(key);
                } else {
                    config.set(key, id);
                }
            }
        }
    }
}
