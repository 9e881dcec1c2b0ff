package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StagingAreaTest {
    @TempDir Path root;

    /// Stages a file, says where, and then lives on until it is ended.
    static final class Stager {
        private Stager() {}

        public static void main(String[] arguments) throws IOException {
            Staging staging = FolderArtifactStore.open(Path.of(arguments[0])).stage();
            Path file = staging.directory().resolve("half-written");
            Files.writeString(file, "half");
            System.out.println(file);
            System.in.read();
        }
    }

    /// Stages a file, opens the store once more, and then lives on until it is ended.
    static final class StagerWithTwoStores {
        private StagerWithTwoStores() {}

        public static void main(String[] arguments) throws IOException {
            Staging staging = FolderArtifactStore.open(Path.of(arguments[0])).stage();
            Path file = staging.directory().resolve("half-written");
            Files.writeString(file, "half");
            FolderArtifactStore.open(Path.of(arguments[0])).close();
            System.out.println(file);
            System.in.read();
        }
    }

    private List<Path> staging() throws IOException {
        try (Stream<Path> entries = Files.list(root.resolve("staging"))) {
            return entries.toList();
        }
    }

    @Test
    void whatALivingProcessStagesIsKeptHoweverOldAndWhatADeadOneLeftIsRemovedHoweverNew()
            throws IOException {
        Path file;
        try (ChildJvm child = ChildJvm.start(Stager.class, root.toString())) {
            file = Path.of(child.line());
            Files.setLastModifiedTime(file, FileTime.fromMillis(0));
            FolderArtifactStore.open(root).close();
            assertThat(file).exists();
        }

        FolderArtifactStore.open(root).close();

        assertThat(file).doesNotExist();
        assertThat(staging()).isEmpty();
    }

    @Test
    void aSecondStoreInALivingProcessDoesNotGiveUpWhatTheFirstStages() throws IOException {
        try (ChildJvm child = ChildJvm.start(StagerWithTwoStores.class, root.toString())) {
            Path file = Path.of(child.line());
            FolderArtifactStore.open(root).close();
            assertThat(file).exists();
        }
    }

    @Test
    void anotherStoreInTheSameProcessIsNotDisturbed() throws IOException {
        try (FolderArtifactStore first = FolderArtifactStore.open(root);
                Staging staging = first.stage()) {
            Files.writeString(staging.directory().resolve("file"), "content");
            try (FolderArtifactStore second = FolderArtifactStore.open(root)) {
                assertThat(staging.directory().resolve("file")).exists();
                assertThat(first.publish(staging, "tasks/a").path()).isEqualTo("tasks/a");
                assertThat(second.exists("tasks/a")).isTrue();
            }
        }
        assertThat(staging()).isEmpty();
    }

    @Test
    void closingAStoreGivesUpWhatItStaged() throws IOException {
        FolderArtifactStore store = FolderArtifactStore.open(root);
        Staging staging = store.stage();
        Files.writeString(staging.directory().resolve("file"), "content");
        store.close();

        assertThat(staging.directory()).doesNotExist();
        assertThat(staging()).isEmpty();
    }

    @Test
    void linksAmongLeftoversAreRemovedButNotFollowed() throws IOException {
        Path precious = Files.createDirectory(root.resolve("precious"));
        Files.writeString(precious.resolve("file"), "content");
        Path leftover = Files.createDirectories(root.resolve("staging/dead"));
        Files.createFile(root.resolve("staging/dead.lock"));
        Files.createSymbolicLink(leftover.resolve("link"), precious);

        FolderArtifactStore.open(root).close();

        assertThat(leftover).doesNotExist();
        assertThat(precious.resolve("file")).hasContent("content");
    }
}
