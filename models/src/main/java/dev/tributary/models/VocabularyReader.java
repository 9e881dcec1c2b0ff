package dev.tributary.models;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/// Reads a vocabulary from the files the Hugging Face libraries write, as a stream: nothing but the
/// tokens is kept.
final class VocabularyReader {
    private static final String VOCAB_JSON = "vocab.json";
    private static final String VOCAB_TEXT = "vocab.txt";
    private static final String ADDED = "added_tokens.json";
    private static final String TOKENIZER_CONFIG = "tokenizer_config.json";

    /// More than any model has rows, and few enough for an array.
    private static final int LARGEST_ID = 1 << 24;

    /// Tokens are no field names that come again: keeping them beside is waste.
    private static final JsonFactory JSON =
            JsonFactory.builder()
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                    .build();

    private static final ObjectMapper TREES = new ObjectMapper();

    private final Path folder;
    private final Map<String, Integer> ids = new HashMap<>();
    private final Map<String, Integer> addedIds = new LinkedHashMap<>();
    private final SequencedMap<String, JsonNode> added = new LinkedHashMap<>();
    private boolean listed;

    private VocabularyReader(Path folder) {
        this.folder = folder;
    }

    static Optional<Vocabulary> read(Path folder) {
        VocabularyReader reader = new VocabularyReader(folder);
        if (reader.has(TextTokenizer.FILE)) {
            reader.each(TextTokenizer.FILE, reader::tokenizerField);
        } else if (reader.has(VOCAB_JSON)) {
            reader.each(VOCAB_JSON, (token, in) -> reader.put(VOCAB_JSON, token, in, reader.ids));
            reader.besides();
        } else if (reader.has(VOCAB_TEXT)) {
            reader.lines();
            reader.besides();
        } else {
            return Optional.empty();
        }
        reader.ids.putAll(reader.addedIds);
        return Optional.of(new Vocabulary(reader.ids, reader.added, reader.listed));
    }

    /// Takes a field's value, which the parser stands at.
    @FunctionalInterface
    private interface Field {
        void take(String name, JsonParser in) throws IOException;
    }

    private boolean has(String file) {
        return Files.isRegularFile(folder.resolve(file));
    }

    private void each(String file, Field field) {
        try (JsonParser in = JSON.createParser(folder.resolve(file).toFile())) {
            if (in.nextToken() != JsonToken.START_OBJECT) {
                throw malformed(file, "holds no JSON object");
            }
            fields(in, field);
        } catch (JsonProcessingException e) {
            throw malformed(file, "is no readable JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + folder.resolve(file), e);
        }
    }

    private static void fields(JsonParser in, Field field) throws IOException {
        while (in.nextToken() == JsonToken.FIELD_NAME) {
            String name = in.currentName();
            in.nextToken();
            field.take(name, in);
        }
    }

    private void tokenizerField(String name, JsonParser in) throws IOException {
        if (name.equals("model") && in.currentToken() == JsonToken.START_OBJECT) {
            fields(in, this::modelField);
        } else if (name.equals("added_tokens") && in.currentToken() == JsonToken.START_ARRAY) {
            while (in.nextToken() == JsonToken.START_OBJECT) {
                JsonNode token = TREES.readTree(in);
                add(TextTokenizer.FILE, token.path("content").asText(), token.path("id"), token);
            }
        } else {
            in.skipChildren();
        }
    }

    private void modelField(String name, JsonParser in) throws IOException {
        if (!name.equals("vocab")) {
            in.skipChildren();
        } else if (in.currentToken() == JsonToken.START_OBJECT) {
            fields(in, (token, at) -> put(TextTokenizer.FILE, token, at, ids));
        } else if (in.currentToken() == JsonToken.START_ARRAY) {
            listed = true;
            for (int id = 0; in.nextToken() == JsonToken.START_ARRAY; id++) {
                in.nextToken();
                ids.put(in.getText(), id);
                while (in.nextToken() != JsonToken.END_ARRAY) {
                    in.skipChildren();
                }
            }
        } else {
            throw malformed(TextTokenizer.FILE, "has a model.vocab that is no list of tokens");
        }
    }

    private void put(String file, String token, JsonParser in, Map<String, Integer> target)
            throws IOException {
        if (in.currentToken() != JsonToken.VALUE_NUMBER_INT) {
            throw malformed(file, "gives the token '%s' no number".formatted(token));
        }
        target.put(token, checked(file, token, in.getLongValue()));
    }

    private void add(String file, String token, JsonNode id, JsonNode entry) {
        if (!id.isIntegralNumber()) {
            throw malformed(file, "gives the added token '%s' no number".formatted(token));
        }
        addedIds.put(token, checked(file, token, id.longValue()));
        added.put(token, entry);
    }

    private int checked(String file, String token, long id) {
        if (id < 0 || id >= LARGEST_ID) {
            throw malformed(
                    file,
                    "gives the token '%s' the id %d, expected one from 0 to %d"
                            .formatted(token, id, LARGEST_ID - 1));
        }
        return (int) id;
    }

    private void lines() {
        try {
            List<String> lines = Files.readAllLines(folder.resolve(VOCAB_TEXT));
            for (int id = 0; id < lines.size(); id++) {
                ids.put(lines.get(id), id);
            }
        } catch (CharacterCodingException e) {
            throw malformed(VOCAB_TEXT, "is no text in UTF-8");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + folder.resolve(VOCAB_TEXT), e);
        }
    }

    /// What tokenizers of several files keep beside their vocabulary.
    private void besides() {
        if (has(ADDED)) {
            each(
                    ADDED,
                    (token, in) ->
                            add(
                                    ADDED,
                                    token,
                                    TREES.readTree(in),
                                    JsonNodeFactory.instance.objectNode()));
        }
        if (has(TOKENIZER_CONFIG)) {
            each(
                    TOKENIZER_CONFIG,
                    (name, in) -> {
                        if (name.equals("added_tokens_decoder")
                                && in.currentToken() == JsonToken.START_OBJECT) {
                            fields(in, this::decoderField);
                        } else {
                            in.skipChildren();
                        }
                    });
        }
    }

    private void decoderField(String id, JsonParser in) throws IOException {
        JsonNode entry = TREES.readTree(in);
        JsonNode number =
                id.matches("[0-9]{1,9}")
                        ? JsonNodeFactory.instance.numberNode(Integer.parseInt(id))
                        : JsonNodeFactory.instance.missingNode();
        add(TOKENIZER_CONFIG, entry.path("content").asText(), number, entry);
    }

    private RefusedException malformed(String file, String sentence) {
        return new RefusedException(
                new Fault(
                        FailureCode.CORRUPT_CHECKPOINT,
                        folder.resolve(file).toString(),
                        sentence + ": save the tokenizer again with tokenizer.save_pretrained"));
    }
}
