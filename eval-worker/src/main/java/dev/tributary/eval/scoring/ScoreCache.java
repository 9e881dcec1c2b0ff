package dev.tributary.eval.scoring;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.eval.verdict.CorrectItems;
import dev.tributary.eval.verdict.TaskResult.Scored;
import dev.tributary.models.GeneratedTexts;
import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Keeps what experts answered and what generations scored, by content: an expert is run over a
/// task's items once however many generations it goes into, and a generation that is issued again
/// costs nothing.
final class ScoreCache {

    /// Counts up whenever the same inputs would give other numbers.
    private static final int CODE_VERSION = 3;

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final CacheFile experts;
    private final CacheFile results;

    ScoreCache(Path folder) {
        this.experts = new CacheFile(folder.resolve("experts"));
        this.results = new CacheFile(folder.resolve("results"));
    }

    /// What a score is determined by.
    ///
    /// @param expert digest of the expert's checkpoint
    /// @param base digest of the base, on which an adapter stands; null where it is not told
    /// @param generationId digest of everything that determines the generation
    /// @param items digest of the validation items
    record Key(
            Digest expert,
            @Nullable Digest base,
            String generationId,
            Digest items,
            TaskDefinition task) {

        Digest ofExpert() {
            return digest("expert", "%s on %s".formatted(expert, base));
        }

        Digest ofResult() {
            return digest("result", "%s on %s %s".formatted(expert, base, generationId));
        }

        private Digest digest(String what, String models) {
            return Digest.ofText(
                    String.join(
                            "\n",
                            what,
                            Integer.toString(CODE_VERSION),
                            models,
                            items.value(),
                            task.name(),
                            task.metric().id(),
                            Integer.toString(task.maxTokens()),
                            String.join("\t", task.labels()),
                            String.valueOf(task.generation())));
        }
    }

    Optional<ModelOutputs> expert(Key key) {
        return experts.read(key.ofExpert()).map(ModelOutputs::of);
    }

    void keep(Key key, ModelOutputs expert) {
        experts.write(key.ofExpert(), expert.toBytes());
    }

    /// What an expert that generates answered.
    Optional<GeneratedTexts> texts(Key key) {
        return experts.read(key.ofExpert()).map(GeneratedTexts::of);
    }

    void keep(Key key, GeneratedTexts expert) {
        experts.write(key.ofExpert(), expert.toBytes());
    }

    Optional<Scored> result(Key key) {
        return results.read(key.ofResult()).map(ScoreCache::scored);
    }

    void keep(Key key, Scored result) {
        ObjectNode json = MAPPER.createObjectNode();
        json.put("task", result.task());
        json.put("metric", result.metric());
        json.put("score", result.score());
        json.put("expertScore", result.expertScore());
        json.put("interference", result.interference());
        json.put("itemsDigest", result.itemsDigest());
        json.put("correct", result.correct().asText());
        try {
            results.write(key.ofResult(), MAPPER.writeValueAsBytes(json));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Scored scored(byte[] bytes) {
        try {
            JsonNode json = MAPPER.readTree(bytes);
            return new Scored(
                    json.required("task").textValue(),
                    json.required("metric").textValue(),
                    json.required("score").doubleValue(),
                    json.required("expertScore").doubleValue(),
                    json.required("interference").doubleValue(),
                    json.required("itemsDigest").textValue(),
                    CorrectItems.of(json.required("correct").textValue()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
