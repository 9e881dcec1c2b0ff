package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import dev.tributary.tensors.Imported.Skipped;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImportTest {
    private static final byte[] PICKLE = HexFormat.of().parseHex("80027d71002e0000");

    @TempDir Path folder;
    private FolderArtifactStore store;
    private Path source;

    @BeforeEach
    void openStoreAndMakeACheckpoint() throws IOException {
        store = FolderArtifactStore.open(folder.resolve("store"));
        source = Files.createDirectory(folder.resolve("source"));
        Files.writeString(source.resolve("config.json"), "{}");
        Files.write(source.resolve("model.safetensors"), HostileFile.oneFloat("x"));
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    private Imported importSource() {
        return store.importDirectory(source, "checkpoints", Progress.SILENT);
    }

    private RefusedException refusal() {
        RefusedException refusal = catchThrowableOfType(RefusedException.class, this::importSource);
        assertThat(refusal).as("is refused").isNotNull();
        assertThat(store.root().resolve("checkpoints")).doesNotExist();
        return refusal;
    }

    @Test
    void aFolderIsCopiedUnderItsDigest() throws IOException {
        Files.createDirectories(source.resolve("1_Pooling"));
        Files.writeString(source.resolve("1_Pooling/config.json"), "{\"a\":1}");

        Imported imported = importSource();

        ArtifactReference reference = imported.reference();
        assertThat(imported.skipped()).isEmpty();
        assertThat(reference.digest()).isEqualTo(Digest.ofDirectory(source));
        assertThat(reference.path()).isEqualTo("checkpoints/" + reference.digest().hex());
        assertThat(store.open(reference).resolve("1_Pooling/config.json")).hasContent("{\"a\":1}");
        store.verify(reference);
        Checkpoint.open(store.open(reference)).close();
    }

    @Test
    void importingAgainGivesTheSameReference() {
        assertThat(importSource()).isEqualTo(importSource());
    }

    @Test
    void theOriginalMayChangeAfterwards() throws IOException {
        ArtifactReference reference = importSource().reference();
        Files.writeString(source.resolve("config.json"), "changed");

        store.verify(reference);
    }

    @Test
    void progressEndsAtTheSizeOfTheFolder() {
        List<Long> done = new ArrayList<>();

        ArtifactReference reference =
                store.importDirectory(
                                source,
                                "checkpoints",
                                (_, bytes, total) -> {
                                    assertThat(bytes).isLessThanOrEqualTo(total);
                                    done.add(bytes);
                                })
                        .reference();

        assertThat(done).isSorted().last().isEqualTo(reference.bytes());
    }

    @Test
    void whatLeadsOutOrIsNoFileIsLeftOutAndSaid() throws IOException, InterruptedException {
        Path secret = Files.writeString(folder.resolve("secret"), "secret");
        Files.createSymbolicLink(source.resolve("absolute.txt"), secret);
        Files.createSymbolicLink(source.resolve("relative.txt"), Path.of("../secret"));
        Files.createSymbolicLink(source.resolve("nothing.txt"), Path.of("absent"));
        Files.createSymbolicLink(source.resolve("device.txt"), Path.of("/dev/zero"));
        Files.createSymbolicLink(source.resolve("folder"), folder);
        Files.createSymbolicLink(source.resolve("inside.json"), Path.of("config.json"));
        Files.createDirectory(source.resolve(".git"));
        Files.writeString(source.resolve(".git/config"), "x");
        assertThat(
                        new ProcessBuilder("mkfifo", source.resolve("pipe").toString())
                                .start()
                                .waitFor())
                .isZero();

        Imported imported = importSource();

        assertThat(imported.skipped())
                .containsExactlyInAnyOrder(
                        new Skipped("absolute.txt", "a symbolic link out of the folder"),
                        new Skipped("relative.txt", "a symbolic link out of the folder"),
                        new Skipped("nothing.txt", "a symbolic link to nothing"),
                        new Skipped("device.txt", "a symbolic link out of the folder"),
                        new Skipped("folder", "a symbolic link out of the folder"),
                        new Skipped(".git", "hidden"),
                        new Skipped("pipe", "a pipe or device"));
        Path copy = store.open(imported.reference());
        assertThat(copy.toFile().list())
                .containsExactlyInAnyOrder("config.json", "inside.json", "model.safetensors");
        assertThat(Files.isSymbolicLink(copy.resolve("inside.json"))).isFalse();
    }

    @Test
    void aSnapshotOfTheHubsCacheIsTakenWithTheContentOfItsBlobs() throws IOException {
        Path blobs = Files.createDirectories(folder.resolve("models--a--b/blobs"));
        Path snapshot = Files.createDirectories(folder.resolve("models--a--b/snapshots/1234"));
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(source.resolve(name), blobs.resolve("blob-" + name));
            Files.createSymbolicLink(snapshot.resolve(name), Path.of("../../blobs/blob-" + name));
        }

        Imported imported = store.importDirectory(snapshot, "checkpoints", Progress.SILENT);

        assertThat(imported).isEqualTo(importSource());
    }

    @Test
    void picklesBesideSafetensorsAreLeftOutAndSaid() throws IOException {
        Files.write(source.resolve("training_args.bin"), PICKLE);
        Files.writeString(source.resolve("optimizer.pt"), "protocol 0 has no magic number");

        assertThat(importSource().skipped())
                .extracting(Skipped::path)
                .containsExactlyInAnyOrder("training_args.bin", "optimizer.pt");
    }

    @Test
    void weightsThatAreOnlyPicklesAreRefused() throws IOException {
        Files.delete(source.resolve("model.safetensors"));
        Files.write(source.resolve("pytorch_model.bin"), PICKLE);
        Files.write(source.resolve("tf_model.h5"), PICKLE);

        assertThat(refusal().faults())
                .extracting(Fault::code, Fault::where)
                .containsExactlyInAnyOrder(
                        tuple(FailureCode.UNSAFE_FORMAT, "pytorch_model.bin"),
                        tuple(FailureCode.UNSAFE_FORMAT, "tf_model.h5"));
    }

    @Test
    void picklesUnderOtherNamesAreAllRefusedAtOnce() throws IOException {
        Files.write(source.resolve("tokenizer.json"), PICKLE);
        Files.write(source.resolve("more.safetensors"), PICKLE);
        Files.writeString(source.resolve("archive.txt"), "PK\003\004", StandardCharsets.US_ASCII);

        assertThat(refusal().faults())
                .extracting(Fault::code)
                .containsExactly(
                        FailureCode.UNSAFE_FORMAT,
                        FailureCode.UNSAFE_FORMAT,
                        FailureCode.UNSAFE_FORMAT);
    }

    @Test
    void namesWithControlCharactersAreRefused() throws IOException {
        Files.writeString(source.resolve("a\nb.txt"), "x");
        Files.writeString(source.resolve("a\\b.txt"), "x");

        assertThat(refusal().faults())
                .extracting(Fault::code)
                .containsExactly(FailureCode.UNSAFE_PATH, FailureCode.UNSAFE_PATH);
    }

    @Test
    void aFolderWithEndlessFilesIsRefused() throws IOException {
        for (int i = 0; i <= 10_000; i++) {
            Files.createFile(source.resolve("%d.txt".formatted(i)));
        }

        assertThat(refusal()).hasMessageContaining("more than 10000 files");
    }

    @Test
    void aMissingFolderIsRefused() {
        RefusedException refusal =
                catchThrowableOfType(
                        RefusedException.class,
                        () ->
                                store.importDirectory(
                                        folder.resolve("absent"), "checkpoints", Progress.SILENT));

        assertThat(refusal.faults().getFirst().code()).isEqualTo(FailureCode.ARTIFACT_MISSING);
    }
}
