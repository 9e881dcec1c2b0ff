package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DigestTest {
    private static final String OF_ABC =
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    @TempDir Path folder;

    @Test
    void aFilesDigestIsItsSha256() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "abc");

        assertThat(Digest.of(file)).isEqualTo(new Digest("sha256:" + OF_ABC));
        assertThat(Digest.of(file)).isEqualTo(Digest.ofText("abc"));
        assertThat(Digest.of(file).hex()).isEqualTo(OF_ABC);
        assertThat(Digest.of(file).shortHex()).isEqualTo("ba7816bf8f01");
    }

    @Test
    void aFoldersDigestIsThatOfItsSortedLines() throws IOException {
        Files.createDirectories(folder.resolve("sub/empty"));
        Files.writeString(folder.resolve("z"), "abc");
        Files.writeString(folder.resolve("sub/file"), "");

        String lines = "%s  3  z\n%s  0  sub/file\n".formatted(OF_ABC, Digest.ofText("").hex());
        assertThat(Digest.ofDirectory(folder)).isEqualTo(Digest.ofText(lines));
    }

    @Test
    void renamingAFileChangesItsFoldersDigest() throws IOException {
        Path file = Files.writeString(folder.resolve("a"), "abc");
        Digest before = Digest.ofDirectory(folder);
        Files.move(file, folder.resolve("b"));

        assertThat(Digest.ofDirectory(folder)).isNotEqualTo(before);
    }

    @Test
    void aLinkInAFolderIsRefused() throws IOException {
        Files.createSymbolicLink(folder.resolve("link"), Path.of("/etc/hostname"));

        assertThatThrownBy(() -> Digest.ofDirectory(folder))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("neither a file nor a folder");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "sha256:",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
                "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0",
                "sha1:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "sha256:../../../../etc/passwd"
            })
    void anythingElseIsNoDigest(String text) {
        assertThatThrownBy(() -> new Digest(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
