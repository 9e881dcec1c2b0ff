package dev.tributary.models;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.tensors.Checkpoint;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.SequencedSet;

/// The tokens a checkpoint ends its answers with: those of its `generation_config.json`, else of
/// its `config.json`.
final class EndTokens {
    private static final String FILE = "generation_config.json";
    private static final String KEY = "eos_token_id";

    private EndTokens() {}

    static SequencedSet<Long> of(Checkpoint checkpoint) {
        JsonNode given =
                checkpoint
                        .otherConfig(FILE)
                        .map(config -> config.path(KEY))
                        .filter(stated -> !stated.isMissingNode())
                        .orElseGet(() -> checkpoint.config().path(KEY));
        SequencedSet<Long> tokens = new LinkedHashSet<>();
        if (given.isArray()) {
            given.forEach(token -> tokens.add(token.asLong()));
        } else if (given.isIntegralNumber()) {
            tokens.add(given.asLong());
        }
        return Collections.unmodifiableSequencedSet(tokens);
    }
}
