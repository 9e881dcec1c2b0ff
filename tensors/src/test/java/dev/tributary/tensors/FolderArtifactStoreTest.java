package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderArtifactStoreTest {
    @TempDir Path folder;
    private FolderArtifactStore store;

    @BeforeEach
    void openStore() {
        store = FolderArtifactStore.open(folder.resolve("store"));
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    private Staging staged(String content) throws IOException {
        Staging staging = store.stage();
        Files.createDirectory(staging.directory().resolve("inner"));
        Files.writeString(staging.directory().resolve("inner/file"), content);
        return staging;
    }

    @Test
    void whatIsPublishedCanBeOpenedByItsReference() throws IOException {
        ArtifactReference reference = store.publish(staged("content"), "generations/pool/1");

        assertThat(store.open(reference).resolve("inner/file")).hasContent("content");
        assertThat(reference.uri()).isEqualTo("store:generations/pool/1");
        assertThat(reference.bytes()).isEqualTo(7);
        assertThat(store.referenceTo("generations/pool/1")).isEqualTo(reference);
        store.verify(reference);
    }

    @Test
    void publishingTheSameAgainChangesNothing() throws IOException {
        ArtifactReference first = store.publish(staged("content"), "generations/pool/1");
        ArtifactReference second = store.publish(staged("content"), "generations/pool/1");

        assertThat(second).isEqualTo(first);
    }
}
