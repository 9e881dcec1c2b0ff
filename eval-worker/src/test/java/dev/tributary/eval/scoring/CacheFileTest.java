package dev.tributary.eval.scoring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheFileTest {

    private static final Digest KEY = Digest.ofText("a key");

    @TempDir Path folder;

    @Test
    void whatWasWrittenIsRead() {
        CacheFile cache = new CacheFile(folder);

        assertThat(cache.read(KEY)).isEmpty();
        cache.write(KEY, new byte[] {1, 2, 3});

        assertThat(cache.read(KEY)).hasValue(new byte[] {1, 2, 3});
        assertThat(cache.read(Digest.ofText("another"))).isEmpty();
    }

    @Test
    void aDamagedFileCountsAsNone() throws IOException {
        CacheFile cache = new CacheFile(folder);
        cache.write(KEY, new byte[100]);
        Path file = onlyFile();
        byte[] bytes = Files.readAllBytes(file);
        for (int length : new int[] {0, 31, 32, 100, 131}) {
            Files.write(file, java.util.Arrays.copyOf(bytes, length));
            assertThat(cache.read(KEY)).isEmpty();
        }
        bytes[50] ^= 1;
        Files.write(file, bytes);

        assertThat(cache.read(KEY)).isEmpty();
    }

    @Test
    void nothingIsLeftBesideTheFile() throws IOException {
        CacheFile cache = new CacheFile(folder);
        cache.write(KEY, new byte[] {1});
        cache.write(KEY, new byte[] {2});

        assertThat(onlyFile()).exists();
        assertThat(cache.read(KEY)).hasValue(new byte[] {2});
    }

    @Test
    void aFolderThatCannotBeWrittenToCostsNoResult() throws IOException {
        Path file = Files.createFile(folder.resolve("a-file"));
        CacheFile cache = new CacheFile(file);

        cache.write(KEY, new byte[] {1});

        assertThat(cache.read(KEY)).isEmpty();
    }

    private Path onlyFile() throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            var all = files.filter(Files::isRegularFile).toList();
            assertThat(all).hasSize(1);
            return all.getFirst();
        }
    }
}
