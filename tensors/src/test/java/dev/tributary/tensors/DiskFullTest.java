package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What happens when the disk is full: on a real file system of four megabytes where one may be
/// mounted, and on the device that is always full everywhere else.
class DiskFullTest {
    private static final long DISK_BYTES = 4L << 20;

    @TempDir Path folder;
    private boolean mounted;

    private FolderArtifactStore storeOnASmallDisk() throws IOException, InterruptedException {
        Path disk = Files.createDirectory(folder.resolve("disk"));
        mounted =
                run("mount", "-t", "tmpfs", "-o", "size=" + DISK_BYTES, "tmpfs", disk.toString())
                        == 0;
        assumeThat(mounted).as("a small file system can be mounted here").isTrue();
        return FolderArtifactStore.open(disk.resolve("store"));
    }

    @AfterEach
    void unmount() throws IOException, InterruptedException {
        if (mounted) {
            assertThat(run("umount", folder.resolve("disk").toString())).isZero();
        }
    }

    private static int run(String... command) throws IOException, InterruptedException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }

    private static FailureCode refusal(ThrowingCallable call) {
        RefusedException refusal = catchThrowableOfType(RefusedException.class, call);
        assertThat(refusal).as("is refused").isNotNull();
        return refusal.faults().getFirst().code();
    }

    private static void writeTensor(Path file, long bytes) {
        TensorSpec spec = new TensorSpec("x", Dtype.U8, List.of(bytes));
        try (CheckpointWriter writer =
                CheckpointWriter.create(file, List.of(spec), CheckpointWriter.PYTORCH)) {
            writer.write("x", MemorySegment.ofArray(new byte[(int) bytes]));
            writer.finish();
        }
    }

    @Test
    void aCheckpointThatDoesNotFitLeavesNothingAndTheNextThatFitsIsPublished() throws Exception {
        try (FolderArtifactStore store = storeOnASmallDisk()) {
            try (Staging staging = store.stage()) {
                Path file = staging.directory().resolve("model.safetensors");
                assertThat(refusal(() -> writeTensor(file, DISK_BYTES + 1)))
                        .isEqualTo(FailureCode.NO_SPACE);
                try (Stream<Path> left = Files.list(staging.directory())) {
                    assertThat(left).isEmpty();
                }
            }
            try (Staging staging = store.stage(DISK_BYTES / 2)) {
                writeTensor(staging.directory().resolve("model.safetensors"), DISK_BYTES / 2);
                assertThat(store.publish(staging, "checkpoints/a").bytes())
                        .isGreaterThan(DISK_BYTES / 2);
            }
        }
    }

    @Test
    void aFolderThatDoesNotFitIsRefusedBeforeItIsCopied() throws Exception {
        Path source = Files.createDirectory(folder.resolve("source"));
        Files.write(source.resolve("large.txt"), new byte[(int) DISK_BYTES + 1]);

        try (FolderArtifactStore store = storeOnASmallDisk()) {
            assertThat(refusal(() -> store.importDirectory(source, "checkpoints", Progress.SILENT)))
                    .isEqualTo(FailureCode.NO_SPACE);
            assertThat(store.root().resolve("checkpoints")).doesNotExist();
        }
    }

    @Test
    void aDiskThatFillsUpDuringACopyLeavesNothing() throws Exception {
        Path source = Files.createDirectory(folder.resolve("source"));
        Files.write(source.resolve("a.txt"), new byte[(int) DISK_BYTES / 2]);
        Files.write(source.resolve("b.txt"), new byte[(int) DISK_BYTES / 4]);

        try (FolderArtifactStore store = storeOnASmallDisk()) {
            Progress hog =
                    (_, done, _) -> {
                        if (done == DISK_BYTES / 2) {
                            fill(store.cache().resolve("hog"), (int) DISK_BYTES / 2 - (1 << 17));
                        }
                    };
            assertThat(refusal(() -> store.importDirectory(source, "checkpoints", hog)))
                    .isEqualTo(FailureCode.NO_SPACE);
            assertThat(store.root().resolve("checkpoints")).doesNotExist();
            Files.delete(store.cache().resolve("hog"));

            Imported imported = store.importDirectory(source, "checkpoints", Progress.SILENT);
            store.verify(imported.reference());
        }
    }

    private static void fill(Path file, int bytes) {
        try {
            Files.write(file, new byte[bytes]);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theFullDevicesErrorIsToldFromOthers() throws IOException {
        Path full = Path.of("/dev/full");
        assumeThat(full).as("this system has the device that is always full").exists();
        try (FileChannel channel = FileChannel.open(full, StandardOpenOption.WRITE)) {
            IOException noSpace =
                    catchThrowableOfType(
                            IOException.class, () -> channel.write(ByteBuffer.allocate(10)));

            assertThat(StorageFailure.of(folder, noSpace)).isInstanceOf(RefusedException.class);
        }
        assertThat(StorageFailure.of(folder, new IOException("Input/output error")))
                .isInstanceOf(UncheckedIOException.class);
    }
}
