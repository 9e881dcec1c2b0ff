package dev.tributary.merging;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.models.TextTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/// Gives a merged model the tokenizer its rows belong to: that of the base or of another model as
/// it is, or the base's with the tokens that were added.
final class TokenizerFiles {
    /// What goes with a model besides its configuration and weights.
    static final List<String> NAMES =
            List.of(
                    "tokenizer.json",
                    "tokenizer_config.json",
                    "special_tokens_map.json",
                    "added_tokens.json",
                    "vocab.txt",
                    "vocab.json",
                    "merges.txt",
                    "tokenizer.model",
                    "spiece.model",
                    "sentencepiece.bpe.model",
                    "chat_template.jinja",
                    "generation_config.json",
                    "preprocessor_config.json");

    /// Other forms of what `tokenizer.json` says, which would not know of added tokens.
    private static final Set<String> OTHER_FORMS =
            Set.of(
                    "vocab.txt",
                    "vocab.json",
                    "merges.txt",
                    "tokenizer.model",
                    "spiece.model",
                    "sentencepiece.bpe.model");

    private static final String CONFIG = "tokenizer_config.json";
    private static final String ADDED = "added_tokens.json";
    private static final String ADDED_IN_FILE = "added_tokens";
    private static final String ADDED_IN_CONFIG = "added_tokens_decoder";
    private static final JsonFactory JSON =
            JsonFactory.builder()
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                    .build();
    private static final ObjectMapper TREES = new ObjectMapper(JSON);

    private final Path from;
    private final Path to;
    private final List<VocabularyPlan.Added> added;

    private TokenizerFiles(Path from, Path to, List<VocabularyPlan.Added> added) {
        this.from = from;
        this.to = to;
        this.added = added;
    }

    /// Writes a merged model's into its folder.
    static void write(MergePlan plan, Path folder) throws IOException {
        Path from =
                plan.vocabulary()
                        .map(VocabularyPlan::tokenizerFolder)
                        .orElse(plan.base().directory());
        List<VocabularyPlan.Added> added =
                plan.vocabulary().map(VocabularyPlan::added).orElse(List.of());
        new TokenizerFiles(from, folder, added).write();
    }

    private void write() throws IOException {
        boolean inModel = added.stream().anyMatch(token -> token.entry().isEmpty());
        for (String name : NAMES) {
            if (!Files.isRegularFile(from.resolve(name))) {
                continue;
            }
            if (added.isEmpty()) {
                Files.copy(from.resolve(name), to.resolve(name));
            } else if (name.equals(TextTokenizer.FILE)) {
                withAdded();
            } else if (name.equals(CONFIG)) {
                config();
            } else if (name.equals(ADDED)) {
                listOfAdded();
            } else if (!inModel || !OTHER_FORMS.contains(name)) {
                Files.copy(from.resolve(name), to.resolve(name));
            }
        }
    }

    /// Copies `tokenizer.json` as a stream, with the added tokens where they belong.
    private void withAdded() throws IOException {
        try (JsonParser in = JSON.createParser(from.resolve(TextTokenizer.FILE).toFile());
                JsonGenerator out =
                        JSON.createGenerator(
                                Files.newBufferedWriter(to.resolve(TextTokenizer.FILE)))) {
            out.setCodec(TREES);
            out.useDefaultPrettyPrinter();
            boolean listed = false;
            in.nextToken();
            out.writeStartObject();
            while (in.nextToken() == JsonToken.FIELD_NAME) {
                String name = in.currentName();
                in.nextToken();
                out.writeFieldName(name);
                if (name.equals(ADDED_IN_FILE)) {
                    listed = true;
                    addedTokens(in, out);
                } else if (name.equals("model")) {
                    model(in, out);
                } else {
                    out.copyCurrentStructure(in);
                }
            }
            if (!listed) {
                out.writeFieldName(ADDED_IN_FILE);
                addedTokens(in, out);
            }
            out.writeEndObject();
        }
    }

    private void addedTokens(JsonParser in, JsonGenerator out) throws IOException {
        out.writeStartArray();
        if (in.currentToken() == JsonToken.START_ARRAY) {
            while (in.nextToken() != JsonToken.END_ARRAY) {
                out.copyCurrentStructure(in);
            }
        }
        for (VocabularyPlan.Added token : added) {
            if (token.entry().isPresent()) {
                out.writeTree(entry(token, token.entry().get()));
            }
        }
        out.writeEndArray();
    }

    private void model(JsonParser in, JsonGenerator out) throws IOException {
        out.writeStartObject();
        while (in.nextToken() == JsonToken.FIELD_NAME) {
            String name = in.currentName();
            in.nextToken();
            out.writeFieldName(name);
            if (name.equals("vocab") && in.currentToken() == JsonToken.START_OBJECT) {
                vocabulary(in, out);
            } else {
                out.copyCurrentStructure(in);
            }
        }
        out.writeEndObject();
    }

    private void vocabulary(JsonParser in, JsonGenerator out) throws IOException {
        out.writeStartObject();
        while (in.nextToken() == JsonToken.FIELD_NAME) {
            out.copyCurrentStructure(in);
        }
        for (VocabularyPlan.Added token : added) {
            if (token.entry().isEmpty()) {
                out.writeNumberField(token.token(), token.id());
            }
        }
        out.writeEndObject();
    }

    /// What is said of a token in the list of `tokenizer.json`; plain where nothing is.
    private static ObjectNode entry(VocabularyPlan.Added token, JsonNode said) {
        ObjectNode entry = JsonText.object();
        entry.put("id", token.id());
        entry.put("content", token.token());
        for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized", "special")) {
            entry.put(flag, said.path(flag).asBoolean(false));
        }
        return entry;
    }

    private void config() throws IOException {
        JsonNode read = TREES.readTree(Files.readString(from.resolve(CONFIG)));
        if (read instanceof ObjectNode config
                && config.get(ADDED_IN_CONFIG) instanceof ObjectNode byId) {
            for (VocabularyPlan.Added token : added) {
                if (token.entry().isPresent()) {
                    ObjectNode entry = entry(token, token.entry().get());
                    entry.remove("id");
                    byId.set(Integer.toString(token.id()), entry);
                }
            }
        }
        Files.writeString(to.resolve(CONFIG), JsonText.write(read));
    }

    private void listOfAdded() throws IOException {
        JsonNode read = TREES.readTree(Files.readString(from.resolve(ADDED)));
        if (read instanceof ObjectNode ids) {
            for (VocabularyPlan.Added token : added) {
                if (token.entry().isPresent()) {
                    ids.put(token.token(), token.id());
                }
            }
        }
        Files.writeString(to.resolve(ADDED), JsonText.write(read));
    }
}
