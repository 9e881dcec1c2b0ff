package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.tensors.Digest;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The vocabulary is a small one; its file asks for padding to 16 and truncation to 8, as files of
/// sentence encoders do.
class TextTokenizerTest {
    private static final long CLS = 2;
    private static final long SEP = 3;

    private final Path folder = Fixture.named("tiny_tokenizer").folder();
    private final TextTokenizer tokenizer = TextTokenizer.open(folder);

    @AfterEach
    void close() {
        tokenizer.close();
    }

    @Test
    void textsArePaddedToTheLongestOfTheirBatch() {
        Batch batch = tokenizer.encode(examples("the film", "a", "the film is good"), 32);

        assertThat(batch.rows()).isEqualTo(3);
        assertThat(batch.length()).isEqualTo(6);
        assertThat(batch.attentionMask())
                .containsExactly(1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1);
        assertThat(batch.tokens()).isEqualTo(13);
        assertThat(row(batch, 0)).startsWith(CLS).endsWith(SEP, 0, 0);
        assertThat(batch.tokenTypeIds()).containsOnly(0);
    }

    @Test
    void longTextsAreCutToTheLengthAskedFor() {
        String text = "the film is good and the story is good and the music is good";

        Batch batch = tokenizer.encode(examples(text), 10);

        assertThat(batch.length()).isEqualTo(10);
        assertThat(row(batch, 0)).startsWith(CLS).endsWith(SEP);
        assertThat(tokenizer.encode(examples(text), 32).length()).isEqualTo(16);
    }

    @Test
    void aPairIsOneInputWithTwoTokenTypes() {
        Example pair = new Example("the film", "a good book", null);

        Batch batch = tokenizer.encode(List.of(pair), 32);

        assertThat(batch.length()).isEqualTo(8);
        assertThat(batch.tokenTypeIds()).containsExactly(0, 0, 0, 0, 1, 1, 1, 1);
        assertThat(batch.inputIds()[3]).isEqualTo(SEP);
    }

    @Test
    void bothTextsOfALongPairAreCut() {
        Example pair = new Example("the film is good and dull", "a book a book a book", null);

        Batch batch = tokenizer.encode(List.of(pair), 9);

        assertThat(batch.length()).isEqualTo(9);
        assertThat(Arrays.stream(batch.tokenTypeIds()).sum()).isEqualTo(4);
    }

    @Test
    void pairsAndSinglesKeepTheirOrder() {
        List<Example> mixed =
                List.of(
                        new Example("the film", null, null),
                        new Example("a", "book", null),
                        new Example("this story is quite good", null, null));

        TokenizedTexts texts = tokenizer.tokenize(mixed, 32);

        assertThat(IntStream.range(0, 3).map(texts::length)).containsExactly(4, 5, 7);
    }

    @Test
    void groupsByLengthHoldEveryTextOnce() {
        Random random = new Random(1);
        List<Example> many =
                IntStream.range(0, 100)
                        .mapToObj(_ -> new Example("good ".repeat(random.nextInt(20)), null, null))
                        .toList();
        TokenizedTexts texts = tokenizer.tokenize(many, 64);

        List<int[]> groups = texts.byLength(16);

        assertThat(groups).hasSize(7);
        assertThat(groups.stream().flatMapToInt(Arrays::stream).sorted())
                .containsExactlyElementsOf(IntStream.range(0, 100).boxed().toList());
        int shortest = Integer.MAX_VALUE;
        for (int[] group : groups) {
            assertThat(Arrays.stream(group).map(texts::length).max().orElseThrow())
                    .isLessThanOrEqualTo(shortest);
            shortest = Arrays.stream(group).map(texts::length).min().orElseThrow();
        }
    }

    @Test
    void theDigestIsThatOfTheVocabulary() {
        assertThat(tokenizer.digest()).isEqualTo(Digest.of(folder.resolve("tokenizer.json")));
    }

    @Test
    void aFolderWithoutATokenizerIsRefused(@TempDir Path empty) {
        assertThatThrownBy(() -> TextTokenizer.open(empty))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("tokenizer.json");
    }

    @Test
    void aBrokenTokenizerIsRefused(@TempDir Path broken) throws Exception {
        Files.writeString(broken.resolve("tokenizer.json"), "{\"version\": \"1.0\"");
        try (TextTokenizer opened = TextTokenizer.open(broken)) {
            assertThatThrownBy(() -> opened.encode(examples("a"), 8))
                    .isInstanceOf(RefusedException.class);
        }
    }

    private static List<Example> examples(String... texts) {
        return Arrays.stream(texts).map(text -> new Example(text, null, null)).toList();
    }

    private static long[] row(Batch batch, int row) {
        int start = row * batch.length();
        return Arrays.copyOfRange(batch.inputIds(), start, start + batch.length());
    }
}
