package dev.tributary.models;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.tensors.Digest;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// The tokens of a checkpoint with their ids, which are the rows of its embeddings. Not every id
/// below [#size] needs to have a token.
public final class Vocabulary {
    private final Map<String, Integer> ids;
    private final @Nullable String[] tokens;
    private final SequencedMap<String, JsonNode> added;
    private final boolean listed;

    /// @param ids by token
    /// @param added by token, what the tokenizer says of those that were added to its model
    /// @param listed whether ids are places in a list, as of unigram models
    Vocabulary(Map<String, Integer> ids, SequencedMap<String, JsonNode> added, boolean listed) {
        this.ids = Collections.unmodifiableMap(ids);
        this.added = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(added));
        this.listed = listed;
        int size = ids.values().stream().mapToInt(Integer::intValue).max().orElse(-1) + 1;
        this.tokens = new @Nullable String[size];
        ids.forEach((token, id) -> tokens[id] = token);
        added.keySet()
                .forEach(token -> {
                    Integer id = ids.get(token);
                    if (id != null) {
                        tokens[id] = token;
                    }
                });
    }

    /// Reads the tokens of a checkpoint: from its `tokenizer.json`, else from its `vocab.json` or
    /// `vocab.txt` and what was added to them; empty where it has none of these.
    ///
    /// @throws dev.tributary.tensors.RefusedException when a file cannot be understood
    public static Optional<Vocabulary> read(Path checkpointDirectory) {
        return VocabularyReader.read(checkpointDirectory);
    }

    /// One more than the largest id.
    public int size() {
        return tokens.length;
    }

    /// The token with an id; null where there is none.
    public @Nullable String token(int id) {
        return id < tokens.length ? tokens[id] : null;
    }

    /// The id of a token; negative where it is none of these.
    public int id(String token) {
        return ids.getOrDefault(token, -1);
    }

    /// What the tokenizer says of a token that was added to its model; empty for the model's own.
    public Optional<JsonNode> added(String token) {
        return Optional.ofNullable(added.get(token));
    }

    /// Whether ids are places in a list, as of unigram models, so that only added tokens can
    /// follow.
    public boolean listed() {
        return listed;
    }

    /// Whether every id has the same token in both.
    public boolean sameTokens(Vocabulary other) {
        return Arrays.equals(tokens, other.tokens) && ids.equals(other.ids);
    }

    /// The digest of the tokens with their ids.
    public Digest digest() {
        StringBuilder text = new StringBuilder("tokens ").append(tokens.length).append('\n');
        for (@Nullable String token : tokens) {
            text.append(token == null ? "none" : token.length() + ":" + token).append('\n');
        }
        return Digest.ofText(text.toString());
    }
}
