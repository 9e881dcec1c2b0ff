package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Against what `transformers` renders of the same templates.
class ChatTemplateTest {
    private static final JsonMapper JSON = new JsonMapper();

    @TempDir Path folder;

    static Stream<Arguments> cases() {
        try (InputStream in = ChatTemplateTest.class.getResourceAsStream("/chat_templates.json")) {
            JsonNode all = JSON.readTree(Objects.requireNonNull(in)).path("cases");
            return StreamSupport.stream(all.spliterator(), false)
                    .map(one -> Arguments.of(one.path("name").asText(), one));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void configured(String template) throws IOException {
        ObjectNode config = JSON.createObjectNode();
        config.put("chat_template", template).put("eos_token", "</s>");
        config.putObject("bos_token").put("content", "<s>");
        Files.writeString(folder.resolve("tokenizer_config.json"), config.toString());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void conversationsAreThoseOfTransformers(String name, JsonNode one) throws IOException {
        configured(one.path("template").asText());
        var conversation = ChatTemplate.open(folder).conversation(one.path("system").asText());
        String user = one.path("user").asText();

        if (one.path("expected").isNull()) {
            assertThatThrownBy(() -> conversation.apply(user))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("its chat template refuses the task's conversation");
        } else {
            assertThat(conversation.apply(user)).isEqualTo(one.path("expected").asText());
        }
    }

    @Test
    void aFileOfItsOwnComesFirstAndOfSeveralNamedOnesTheDefault() throws IOException {
        assertThat(ChatTemplate.find(folder)).isEmpty();
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                """
                {"chat_template": [{"name": "tools", "template": "a"},
                                   {"name": "default", "template": "b"}]}
                """);
        assertThat(ChatTemplate.find(folder)).contains("b");
        Files.writeString(folder.resolve("chat_template.jinja"), "c");
        assertThat(ChatTemplate.find(folder)).contains("c");
    }

    @Test
    void aTaskThatAsksForATemplateWhereThereIsNoneIsRefused() {
        assertThatThrownBy(() -> ChatTemplate.open(folder))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("has no chat template, which the task asks for");
    }

    @Test
    void aTemplatesLastLineEndIsNotPartOfIt() throws IOException {
        configured("{{ messages[0].content }}{{ '<|assistant|>' }}\n");
        assertThat(ChatTemplate.open(folder).conversation("").apply("a"))
                .isEqualTo("a<|assistant|>");
    }

    @Test
    void anExamplesTextIsNotReadAsATemplate() throws IOException {
        configured("{{ messages[0].content }}");
        String text = "{{ 1 + 1 }} {% if true %}";
        assertThat(ChatTemplate.open(folder).conversation("").apply(text)).isEqualTo(text);
    }
}
