package dev.tributary.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// A checkpoint's chat template: how a conversation becomes the text its model was trained on, in
/// Jinja, from `chat_template.jinja` or the `chat_template` of `tokenizer_config.json`.
final class ChatTemplate {
    private static final String FILE = "chat_template.jinja";
    private static final String CONFIG = "tokenizer_config.json";

    /// As `transformers` sets Jinja up.
    private static final JinjavaConfig SETTINGS =
            JinjavaConfig.newBuilder()
                    .withTrimBlocks(true)
                    .withLstripBlocks(true)
                    .withNestedInterpretationEnabled(false)
                    .withLegacyOverrides(
                            LegacyOverrides.newBuilder()
                                    .withUsePyishObjectMapper(true)
                                    .withKeepNullableLoopValues(true)
                                    .build())
                    .build();

    private final Path folder;
    private final String template;
    private final Map<String, String> specialTokens;

    private ChatTemplate(Path folder, String template, Map<String, String> specialTokens) {
        this.folder = folder;
        this.template = template;
        this.specialTokens = specialTokens;
    }

    /// The text of a checkpoint's template.
    static Optional<String> find(Path folder) {
        Path file = folder.resolve(FILE);
        if (Files.isRegularFile(file)) {
            try {
                return Optional.of(Files.readString(file));
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read %s".formatted(file), e);
            }
        }
        JsonNode inConfig = config(folder).path("chat_template");
        if (inConfig.isTextual()) {
            return Optional.of(inConfig.asText());
        }
        for (JsonNode named : inConfig) {
            if (named.path("name").asText().equals("default")) {
                return Optional.of(named.path("template").asText());
            }
        }
        return Optional.empty();
    }

    /// @throws RefusedException where the checkpoint has none
    static ChatTemplate open(Path folder) {
        String template =
                find(folder)
                        .orElseThrow(() ->
                                new RefusedException(
                                        new Fault(
                                                FailureCode.BAD_TASK,
                                                folder.toString(),
                                                "has no chat template, which the task asks for: expected %s or a chat_template in %s, or no chat: true in the task"
                                                        .formatted(FILE, CONFIG))));
        Map<String, String> tokens = new HashMap<>();
        JsonNode config = config(folder);
        for (String name : List.of("bos_token", "eos_token", "unk_token", "pad_token")) {
            JsonNode token = config.path(name);
            tokens.put(name, token.path("content").asText(token.asText("")));
        }
        return new ChatTemplate(folder, withWhitespaceStripped(template), tokens);
    }

    private static JsonNode config(Path folder) {
        Path file = folder.resolve(CONFIG);
        return Files.isRegularFile(file)
                ? CheckpointJson.read(file)
                : JsonNodeFactory.instance.objectNode();
    }

    /// Takes out the white space that `{{-`, `-%}` and the like take out, and the last line's end:
    /// the library leaves the one around expressions and the other after them.
    private static String withWhitespaceStripped(String template) {
        return template.replaceFirst("\\r?\\n\\z", "")
                .replaceAll("\\s*\\{([{%#])-", "{$1")
                .replaceAll("-([}%#])}\\s*", "$1}");
    }

    /// Puts a user's message so that the model answers it.
    ///
    /// @param system a message before it; empty for none
    UnaryOperator<String> conversation(String system) {
        Jinjava engine = new Jinjava(SETTINGS);
        engine.getGlobalContext()
                .registerFunction(
                        new ELFunctionDefinition(
                                "", "raise_exception", ChatTemplate.class, "refuse", String.class));
        return message -> {
            List<Map<String, String>> messages = new ArrayList<>();
            if (!system.isEmpty()) {
                messages.add(Map.of("role", "system", "content", system));
            }
            messages.add(Map.of("role", "user", "content", message));
            Map<String, Object> known = new HashMap<>(specialTokens);
            known.put("messages", messages);
            known.put("add_generation_prompt", true);
            RenderResult result = engine.renderForResult(template, known);
            if (!result.getErrors().isEmpty()) {
                throw new RefusedException(
                        new Fault(
                                FailureCode.BAD_TASK,
                                folder.toString(),
                                "its chat template refuses the task's conversation: %s"
                                        .formatted(result.getErrors().getFirst().getMessage())));
            }
            return result.getOutput();
        };
    }

    /// What a template calls to say that it does not take a conversation.
    @SuppressWarnings("DoNotCallSuggester")
    public static String refuse(String why) {
        throw new IllegalArgumentException(why);
    }
}
