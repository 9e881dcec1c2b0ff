package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArtifactTrashTest {
    private static final Instant LONG_AGO = Instant.parse("2020-01-01T00:00:00Z");

    @TempDir Path root;

    private FolderArtifactStore store;
    private ArtifactReference artifact;

    @BeforeEach
    void publish() throws IOException {
        store = FolderArtifactStore.open(root);
        artifact = published();
        Files.setLastModifiedTime(store.open(artifact), FileTime.from(LONG_AGO));
    }

    @AfterEach
    void close() {
        store.close();
    }

    private ArtifactReference published() throws IOException {
        try (Staging staging = store.stage()) {
            Files.writeString(staging.directory().resolve("file"), "content");
            return store.publishByDigest(staging, "tasks");
        }
    }

    @Test
    void whatIsPublishedIsListedWithItsSizeAndAge() {
        try (ArtifactTrash trash = ArtifactTrash.open(root)) {
            assertThat(trash.artifacts())
                    .containsExactly(new ArtifactTrash.Entry(artifact.path(), 7, LONG_AGO));
            assertThat(trash.trash()).isEmpty();
        }
    }

    @Test
    void whatIsDiscardedCanBePutBackAsItWas() {
        try (ArtifactTrash trash = ArtifactTrash.open(root)) {
            assertThat(trash.discard(trash.artifacts().getFirst())).isTrue();
            assertThat(store.exists(artifact.path())).isFalse();
            assertThat(trash.artifacts()).isEmpty();
            assertThat(trash.trash().getFirst().touched()).isAfter(LONG_AGO);

            trash.restore(trash.trash().getFirst());

            store.verify(artifact);
            assertThat(trash.trash()).isEmpty();
            assertThat(trash.artifacts().getFirst().touched()).isAfter(LONG_AGO);
        }
    }

    @Test
    void whatIsRemovedIsGoneAndCanBePublishedAgain() throws IOException {
        try (ArtifactTrash trash = ArtifactTrash.open(root)) {
            trash.discard(trash.artifacts().getFirst());
            trash.remove(trash.trash().getFirst());

            assertThat(trash.trash()).isEmpty();
            assertThat(published()).isEqualTo(artifact);
        }
    }

    @Test
    void whatIsFoundAgainInTheMeantimeStays() throws IOException {
        try (ArtifactTrash trash = ArtifactTrash.open(root)) {
            ArtifactTrash.Entry listed = trash.artifacts().getFirst();
            published();

            assertThat(trash.discard(listed)).isFalse();
            store.verify(artifact);

            listed = trash.artifacts().getFirst();
            Files.setLastModifiedTime(store.open(artifact), FileTime.from(LONG_AGO));
            listed = new ArtifactTrash.Entry(listed.path(), listed.bytes(), LONG_AGO);
            store.referenceTo(artifact.path());

            assertThat(trash.discard(listed)).isFalse();
            store.verify(artifact);
        }
    }

    @Test
    void whatWasPublishedAgainIsNotOverwrittenByWhatIsPutBack() throws IOException {
        try (ArtifactTrash trash = ArtifactTrash.open(root)) {
            trash.discard(trash.artifacts().getFirst());
            published();

            trash.restore(trash.trash().getFirst());

            store.verify(artifact);
            assertThat(trash.trash()).isEmpty();
        }
    }

    @Test
    void oneAtATime() {
        try (ArtifactTrash _ = ArtifactTrash.open(root)) {
            assertThatThrownBy(() -> ArtifactTrash.open(root))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("is being cleaned by another process");
        }
        ArtifactTrash.open(root).close();
    }
}
