package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderArtifactStoreTest {
    private static final String PATH = "generations/pool/0123456789abcdef";

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
        Files.writeString(staging.directory().resolve("other"), content);
        return staging;
    }

    private List<String> stagedEntries() throws IOException {
        try (Stream<Path> paths = Files.walk(store.root().resolve("staging"))) {
            return paths.map(path -> path.getFileName().toString())
                    .filter(name -> name.equals("inner") || name.equals("file"))
                    .toList();
        }
    }

    private static FailureCode refusal(ThrowingCallable call) {
        RefusedException refusal = catchThrowableOfType(RefusedException.class, call);
        assertThat(refusal).as("is refused").isNotNull();
        return refusal.faults().getFirst().code();
    }

    @Test
    void whatIsPublishedCanBeOpenedByItsReference() throws IOException {
        ArtifactReference reference = store.publish(staged("content"), PATH);

        assertThat(store.open(reference).resolve("inner/file")).hasContent("content");
        assertThat(reference.uri()).isEqualTo("store:" + PATH);
        assertThat(reference.path()).isEqualTo(PATH);
        assertThat(reference.bytes()).isEqualTo(14);
        assertThat(reference.digest()).isEqualTo(Digest.ofDirectory(store.open(reference)));
        assertThat(store.referenceTo(PATH)).isEqualTo(reference);
        assertThat(store.exists(PATH)).isTrue();
        store.verify(reference);
    }

    @Test
    void publishingTheSameAgainChangesNothing() throws IOException {
        ArtifactReference first = store.publish(staged("content"), PATH);
        Object before = Files.getAttribute(store.open(first), "unix:ino");
        ArtifactReference second;
        try (Staging again = staged("content")) {
            second = store.publish(again, PATH);
        }

        assertThat(second).isEqualTo(first);
        assertThat(Files.getAttribute(store.open(first), "unix:ino")).isEqualTo(before);
        assertThat(stagedEntries()).isEmpty();
    }

    @Test
    void otherContentAtAPublishedPathIsRefused() throws IOException {
        ArtifactReference reference = store.publish(staged("content"), PATH);

        try (Staging other = staged("other")) {
            assertThat(refusal(() -> store.publish(other, PATH)))
                    .isEqualTo(FailureCode.DIGEST_MISMATCH);
        }
        assertThat(store.open(reference).resolve("other")).hasContent("content");
    }

    @Test
    void contentMayBePublishedUnderItsOwnDigest() throws IOException {
        ArtifactReference reference = store.publishByDigest(staged("content"), "tasks");

        assertThat(reference.path()).isEqualTo("tasks/" + reference.digest().hex());
        assertThat(store.exists(reference.path())).isTrue();
    }

    @Test
    void whatIsStagedIsNotThereUntilItIsPublished() throws IOException {
        try (Staging staging = staged("content")) {
            assertThat(store.exists(PATH)).isFalse();
            assertThat(staging.directory()).startsWith(store.root().resolve("staging"));
        }
        assertThat(stagedEntries()).isEmpty();
    }

    @Test
    void linksAreNotPublished() throws IOException {
        try (Staging staging = staged("content")) {
            Files.createSymbolicLink(staging.directory().resolve("link"), Path.of("/etc/hostname"));

            assertThat(refusal(() -> store.publish(staging, PATH)))
                    .isEqualTo(FailureCode.UNSAFE_PATH);
        }
        assertThat(store.exists(PATH)).isFalse();
    }

    @Test
    void hardLinksWithinAnArtifactArePublished() throws IOException {
        Staging staging = staged("content");
        Files.createLink(
                staging.directory().resolve("inner/again"), staging.directory().resolve("other"));

        ArtifactReference reference = store.publish(staging, PATH);

        assertThat(store.open(reference).resolve("inner/again")).hasContent("content");
        store.verify(reference);
    }

    @Test
    void anotherStoresStagingIsNotPublished() throws IOException {
        try (FolderArtifactStore other = FolderArtifactStore.open(folder.resolve("other"))) {
            assertThatThrownBy(() -> other.publish(staged("content"), PATH))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("was not staged in this store");
        }
    }

    @Test
    void aChangedArtifactDoesNotVerify() throws IOException {
        ArtifactReference reference = store.publish(staged("content"), PATH);
        Files.writeString(store.open(reference).resolve("other"), "tampere");

        assertThat(refusal(() -> store.verify(reference))).isEqualTo(FailureCode.DIGEST_MISMATCH);
    }

    @Test
    void aFileAddedToAnArtifactDoesNotVerify() throws IOException {
        ArtifactReference reference = store.publish(staged("content"), PATH);
        Files.writeString(store.open(reference).resolve("added"), "");

        assertThat(refusal(() -> store.verify(reference))).isEqualTo(FailureCode.DIGEST_MISMATCH);
    }

    @Test
    void anAbsentArtifactIsMissing() {
        ArtifactReference absent = new ArtifactReference("store:tasks/a", Digest.ofText(""), 0);

        assertThat(refusal(() -> store.open(absent))).isEqualTo(FailureCode.ARTIFACT_MISSING);
        assertThat(refusal(() -> store.verify(absent))).isEqualTo(FailureCode.ARTIFACT_MISSING);
        assertThat(refusal(() -> store.referenceTo("tasks/a")))
                .isEqualTo(FailureCode.ARTIFACT_MISSING);
        assertThat(store.exists("tasks/a")).isFalse();
    }

    @Test
    void aLinkPlantedInTheStoreLeadsNowhere() throws IOException {
        Path outside = Files.createDirectories(folder.resolve("outside/a"));
        Files.createDirectories(store.root().resolve("checkpoints"));
        Files.createSymbolicLink(store.root().resolve("checkpoints/evil"), outside);
        Files.createSymbolicLink(store.root().resolve("tasks"), outside.getParent());
        Files.createSymbolicLink(store.root().resolve("generations"), folder.resolve("absent"));

        for (String path :
                List.of("checkpoints/evil", "checkpoints/evil/x", "tasks/a", "generations/p/1")) {
            assertThat(refusal(() -> store.exists(path))).isEqualTo(FailureCode.UNSAFE_PATH);
            assertThat(refusal(() -> store.publish(staged("content"), path)))
                    .isEqualTo(FailureCode.UNSAFE_PATH);
            assertThat(
                            refusal(() ->
                                    store.open(
                                            new ArtifactReference(
                                                    "store:" + path, Digest.ofText(""), 0))))
                    .isEqualTo(FailureCode.UNSAFE_PATH);
        }
        assertThat(outside).isEmptyDirectory();
    }

    @Test
    void aStoreBehindALinkWorks() throws IOException {
        Files.createSymbolicLink(folder.resolve("link"), store.root());

        try (FolderArtifactStore behind = FolderArtifactStore.open(folder.resolve("link"))) {
            ArtifactReference reference = store.publish(staged("content"), PATH);
            assertThat(behind.open(reference)).isEqualTo(store.open(reference));
        }
    }

    @Test
    void moreThanTheDiskHoldsIsNotEvenBegun() {
        assertThat(refusal(() -> store.stage(Long.MAX_VALUE))).isEqualTo(FailureCode.NO_SPACE);
        store.stage(1).close();
    }

    @Test
    void manyPublishersOfTheSameContentAllSucceed() throws Exception {
        List<Future<ArtifactReference>> references = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (int i = 0; i < 64; i++) {
                String path = "generations/pool/%d".formatted(i / 8);
                references.add(threads.submit(() -> store.publish(staged("content"), path)));
            }
        }
        for (int i = 0; i < references.size(); i++) {
            assertThat(references.get(i).get().path())
                    .isEqualTo("generations/pool/%d".formatted(i / 8));
        }
    }

    @Test
    void ofManyPublishersOfDifferentContentOneSucceeds() throws Exception {
        for (int round = 0; round < 10; round++) {
            String path = "generations/pool/%d".formatted(round);
            List<Future<ArtifactReference>> references = new ArrayList<>();
            try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
                for (int i = 0; i < 4; i++) {
                    String content = "content %d".formatted(i);
                    references.add(threads.submit(() -> store.publish(staged(content), path)));
                }
            }
            long succeeded =
                    references.stream()
                            .filter(reference -> reference.state() == Future.State.SUCCESS)
                            .count();
            assertThat(succeeded).isEqualTo(1);
        }
    }

    @Test
    void anObserverSeesAnArtifactWholeOrNotAtAll() throws Exception {
        int artifacts = 60;
        AtomicBoolean done = new AtomicBoolean();
        Digest whole;
        try (Staging staging = staged("content")) {
            whole = Digest.ofDirectory(staging.directory());
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            Future<Integer> observer = threads.submit(() -> observe(artifacts, whole, done));
            for (int i = 0; i < artifacts; i++) {
                store.publish(staged("content"), "generations/pool/%d".formatted(i));
            }
            done.set(true);
            assertThat(observer.get()).isPositive();
        }
    }

    /// Looks at all paths again and again until the publisher is done.
    private int observe(int artifacts, Digest whole, AtomicBoolean done) {
        int seen = 0;
        boolean last;
        do {
            last = done.get();
            for (int i = 0; i < artifacts; i++) {
                Path place = store.root().resolve("generations/pool/%d".formatted(i));
                if (Files.exists(place)) {
                    assertThat(Digest.ofDirectory(place)).isEqualTo(whole);
                    seen++;
                }
            }
        } while (!last);
        return seen;
    }
}
