package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.models.Example;
import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TeacherCacheTest {
    private static final TeacherCache.Key KEY = key("expert", "inputs", "tokenizer", 64);

    @TempDir private Path folder;

    @Test
    void whatWasKeptIsFoundBitForBit() {
        TeacherCache cache = new TeacherCache(folder);
        assertThat(cache.find(KEY)).isEmpty();
        cache.keep(KEY, new Teacher(2, 3, new float[] {1.5f, -2f, 1e-30f, 4f, 5f, -0f}));
        Teacher found = new TeacherCache(folder).find(KEY).orElseThrow();
        assertThat(found.items()).isEqualTo(2);
        assertThat(found.labels()).isEqualTo(3);
        assertThat(found.values().toArray(ValueLayout.JAVA_FLOAT))
                .containsExactly(1.5f, -2f, 1e-30f, 4f, 5f, -0f);
    }

    @Test
    void everythingTheAnswersDependOnIsInTheKey() {
        assertThat(
                        Set.of(
                                KEY.fileName(),
                                key("other", "inputs", "tokenizer", 64).fileName(),
                                key("expert", "other", "tokenizer", 64).fileName(),
                                key("expert", "inputs", "other", 64).fileName(),
                                key("expert", "inputs", "tokenizer", 65).fileName(),
                                new TeacherCache.Key(
                                                KEY.expert(),
                                                Digest.ofText("other"),
                                                KEY.inputs(),
                                                KEY.tokenizer(),
                                                KEY.maxTokens(),
                                                KEY.leading())
                                        .fileName(),
                                new TeacherCache.Key(
                                                KEY.expert(),
                                                KEY.base(),
                                                KEY.inputs(),
                                                KEY.tokenizer(),
                                                KEY.maxTokens(),
                                                64)
                                        .fileName()))
                .hasSize(7);
    }

    @Test
    void textsThatReadAlikeInARowAreToldApart() {
        assertThat(
                        Set.of(
                                inputs(new Example("ab", "c", null)),
                                inputs(new Example("a", "bc", null)),
                                inputs(new Example("ab", null, null), new Example("c", null, null)),
                                inputs(new Example("abc", null, null))))
                .hasSize(4);
        assertThat(inputs(new Example("a", null, "spam")))
                .isEqualTo(inputs(new Example("a", null, null)));
    }

    @Test
    void aDamagedOrForeignFileCountsAsAbsent() throws IOException {
        TeacherCache cache = new TeacherCache(folder);
        cache.keep(KEY, new Teacher(1, 2, new float[] {1, 2}));
        Path file = folder.resolve("teachers").resolve(KEY.fileName());
        byte[] whole = Files.readAllBytes(file);
        byte[] flipped = whole.clone();
        flipped[14] ^= 1;
        for (byte[] damaged :
                List.of(flipped, java.util.Arrays.copyOf(whole, 20), new byte[0], new byte[200])) {
            Files.write(file, damaged);
            assertThat(cache.find(KEY)).isEmpty();
        }
        cache.keep(KEY, new Teacher(1, 2, new float[] {1, 2}));
        assertThat(cache.find(KEY)).isPresent();
    }

    @Test
    void nothingHalfWrittenIsLeftBehind() throws IOException {
        new TeacherCache(folder).keep(KEY, new Teacher(1, 2, new float[] {1, 2}));
        try (var files = Files.list(folder.resolve("teachers"))) {
            assertThat(files.map(f -> f.getFileName().toString())).containsExactly(KEY.fileName());
        }
    }

    private static Digest inputs(Example... examples) {
        return TeacherCache.Key.of(List.of(examples));
    }

    private static TeacherCache.Key key(String expert, String inputs, String tokenizer, int max) {
        return new TeacherCache.Key(
                Digest.ofText(expert),
                Digest.ofText("base"),
                Digest.ofText(inputs),
                Digest.ofText(tokenizer),
                max,
                0);
    }
}
