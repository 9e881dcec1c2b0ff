package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextGenerationTest {
    private static final long CLS = 2;
    private static final long SEP = 3;
    private static final String CHAT =
            "{% for m in messages %}{{ '[MASK]' + m.content + '[SEP]' }}{% endfor %}";

    @TempDir Path folder;

    private TaskDefinition task(String more) throws IOException {
        Files.writeString(
                folder.resolve("task.yaml"),
                "name: reviews\nkind: generation\nvalidation: v.jsonl\ncalibration: v.jsonl\n"
                        + more);
        Files.writeString(
                folder.resolve("v.jsonl"), "{\"source\": \"the film\", \"target\": \"good\"}\n");
        return TaskDefinition.read(folder);
    }

    @Test
    void whatIsNotSaidHasADefault() throws IOException {
        TaskDefinition task = task("");

        assertThat(task.generation()).isEqualTo(new TextGeneration("{text}", 64, false, ""));
        assertThat(task.metric()).isEqualTo(TextMetric.ROUGE_1);
        assertThat(task.examples(Split.VALIDATION))
                .containsExactly(new Example("the film", null, "good"));
    }

    @Test
    void aStagedTaskAsksInTheSameWay() throws IOException {
        TaskDefinition task =
                task(
                        """
                        prompt: "Review: {text}"
                        max_new_tokens: 7
                        chat: true
                        system: Be brief.
                        """);

        task.stage(folder.resolve("staged"), 1);

        assertThat(task.generation())
                .isEqualTo(new TextGeneration("Review: {text}", 7, true, "Be brief."));
        assertThat(TaskDefinition.readStaged(folder.resolve("staged")).generation())
                .isEqualTo(task.generation());
    }

    @Test
    void everythingWrongIsToldAtOnce() {
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class,
                        () ->
                                task(
                                        """
                                        prompt: nothing
                                        max_new_tokens: 0
                                        chat: perhaps
                                        system: Be brief.
                                        """));

        assertThat(refused.faults())
                .extracting(Fault::sentence)
                .containsExactlyInAnyOrder(
                        "prompt is 'nothing', expected one with {text} in it",
                        "max_new_tokens is 0, expected 1 to 1024",
                        "chat is \"perhaps\", expected true or false",
                        "system is given, but no chat: expected it with chat: true only");
    }

    @Test
    void anAnswerFollowsAfterASpaceUnlessThePromptEndsWithOneOrATemplateDoes() {
        assertThat(new TextGeneration("{text}:", 4, false, "").following("good"))
                .isEqualTo(" good");
        assertThat(new TextGeneration("{text}\n", 4, false, "").following("good"))
                .isEqualTo("good");
        assertThat(new TextGeneration("{text}:", 4, true, "").following("good")).isEqualTo("good");
    }

    @Test
    void waysOfAskingThatDifferHaveIdentitiesThatDiffer() {
        assertThat(
                        List.of(
                                new TextGeneration("{text}", 4, false, "").identity(),
                                new TextGeneration("{text}", 5, false, "").identity(),
                                new TextGeneration("{text}", 4, true, "").identity(),
                                new TextGeneration("{text}", 4, true, "a").identity()))
                .doesNotHaveDuplicates();
    }

    @Test
    void aChatTemplateWritesTheSpecialTokensItself() throws IOException {
        Files.copy(
                Fixture.named("tiny_tokenizer").folder().resolve("tokenizer.json"),
                folder.resolve("tokenizer.json"));
        Example example = new Example("the film", null, null);
        try (TextTokenizer tokenizer = TextTokenizer.open(folder)) {
            TextGeneration plain = new TextGeneration("{text}", 4, false, "");
            TextGeneration chat = new TextGeneration("{text} is", 4, true, "");
            long[] asked = tokenizer.prompts(plain, List.of(example), 16).ids(0);
            assertThat(asked).startsWith(CLS).endsWith(SEP).hasSize(4);
            var before = tokenizer.digest();
            RefusedException refused =
                    catchThrowableOfType(
                            RefusedException.class,
                            () -> tokenizer.prompts(chat, List.of(example), 16));
            assertThat(refused).hasMessageContaining("has no chat template");

            Files.writeString(folder.resolve("chat_template.jinja"), CHAT);

            long[] told = tokenizer.prompts(chat, List.of(example), 16).ids(0);
            assertThat(told).startsWith(4, asked[1], asked[2]).endsWith(SEP).hasSize(5);
            assertThat(tokenizer.digest()).isNotEqualTo(before);
            long[] cut = tokenizer.prompts(chat, List.of(example), 4).ids(0);
            assertThat(cut).as("its text is cut").startsWith(4).endsWith(SEP).hasSizeLessThan(5);
            assertThat(
                            catchThrowableOfType(
                                    RefusedException.class,
                                    () -> tokenizer.prompts(chat, List.of(example), 2)))
                    .hasMessageContaining("[prompt] has 3 tokens around the text, but 2 fit in");
        }
    }

    @Test
    void aTaskThatChoosesALabelHasNoPrompt() throws IOException {
        Files.writeString(
                folder.resolve("task.yaml"), "name: x\nlabels: [a, b]\nprompt: \"{text}\"\n");

        RefusedException refused =
                catchThrowableOfType(RefusedException.class, () -> TaskDefinition.read(folder));

        assertThat(Objects.requireNonNull(refused).getMessage())
                .contains("prompt is given, but the task chooses a label");
    }
}
