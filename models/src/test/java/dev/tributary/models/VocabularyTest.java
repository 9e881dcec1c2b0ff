package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VocabularyTest {
    @TempDir private Path folder;

    private Vocabulary read(String file, String content) throws IOException {
        Files.writeString(folder.resolve(file), content);
        return Vocabulary.read(folder).orElseThrow();
    }

    @Test
    void aMapOfTokensIsReadWithThoseThatWereAdded() throws IOException {
        Vocabulary tokens =
                read(
                        "tokenizer.json",
                        """
                        {"model": {"type": "BPE", "vocab": {"b": 1, "a": 0}, "merges": [["a", "b"]]},
                         "added_tokens": [{"id": 4, "content": "<tool>", "special": true},
                                          {"id": 1, "content": "b", "special": false}]}
                        """);
        assertThat(tokens.size()).isEqualTo(5);
        assertThat(tokens.id("b")).isEqualTo(1);
        assertThat(tokens.token(4)).isEqualTo("<tool>");
        assertThat(tokens.token(3)).isNull();
        assertThat(tokens.token(9)).isNull();
        assertThat(tokens.id("c")).isNegative();
        assertThat(tokens.added("<tool>").orElseThrow().path("special").asBoolean()).isTrue();
        assertThat(tokens.added("a")).isEmpty();
        assertThat(tokens.listed()).isFalse();
    }

    @Test
    void aListOfTokensIsNumberedByPlace() throws IOException {
        Vocabulary tokens =
                read(
                        "tokenizer.json",
                        """
                        {"added_tokens": [],
                         "model": {"type": "Unigram", "vocab": [["<pad>", 0.0], ["x", -1.5], ["y", -2]]}}
                        """);
        assertThat(tokens.size()).isEqualTo(3);
        assertThat(tokens.id("y")).isEqualTo(2);
        assertThat(tokens.listed()).isTrue();
    }

    @Test
    void tokenizersOfSeveralFilesAreReadToo() throws IOException {
        Files.writeString(folder.resolve("added_tokens.json"), "{\"<tool>\": 3}");
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"added_tokens_decoder\": {\"4\": {\"content\": \"<call>\"}}, \"x\": [1]}");
        Vocabulary lines = read("vocab.txt", "[PAD]\n[UNK]\n##s\n");
        assertThat(lines.id("##s")).isEqualTo(2);
        assertThat(lines.token(3)).isEqualTo("<tool>");
        assertThat(lines.token(4)).isEqualTo("<call>");
        Vocabulary map = read("vocab.json", "{\"[PAD]\": 0, \"[UNK]\": 1, \"##s\": 2}");
        assertThat(map.sameTokens(lines)).isTrue();
        assertThat(map.digest()).isEqualTo(lines.digest());
    }

    @Test
    void tokensInAnotherOrderAreNotTheSame() throws IOException {
        Vocabulary one = read("vocab.json", "{\"a\": 0, \"b\": 1}");
        Vocabulary other = read("vocab.json", "{\"a\": 1, \"b\": 0}");
        assertThat(one.sameTokens(other)).isFalse();
        assertThat(one.digest()).isNotEqualTo(other.digest());
    }

    @Test
    void aFolderWithoutTokensHasNoVocabulary() {
        assertThat(Vocabulary.read(folder)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]",
                "{\"model\": {\"vocab\": {\"a\": \"one\"}}}",
                "{\"model\": {\"vocab\": {\"a\": -1}}}",
                "{\"model\": {\"vocab\": {\"a\": 99999999999}}}",
                "{\"model\": {\"vocab\": 7}}",
                "{\"added_tokens\": [{\"content\": \"<tool>\"}]}",
                "{\"model\": {\"vocab\": {\"a\": 0}"
            })
    void whatCannotBeUnderstoodIsRefusedWithTheFilesName(String json) throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), json);
        RefusedException refused =
                catchThrowableOfType(RefusedException.class, () -> Vocabulary.read(folder));
        assertThat(refused).hasMessageContaining("tokenizer.json");
    }
}
