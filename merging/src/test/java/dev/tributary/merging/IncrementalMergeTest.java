package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Progress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A pool whose experts come, go and are replaced at random is merged each time with whatever was
/// kept of the merges before, and comes out to the byte as one that is merged for the first time.
/// More changes: `-Dincremental.changes`.
class IncrementalMergeTest {
    private static final int CHANGES = Integer.getInteger("incremental.changes", 150);
    private static final int VERSIONS = 3;

    private static final List<MergeMethod> METHODS =
            List.of(
                    method("weight_averaging"),
                    method("task_arithmetic"),
                    method("ties"),
                    method("wudi"),
                    method("fisher"),
                    method("regmean"),
                    method("lot"),
                    method("tatr"),
                    method("cat"));

    @TempDir private Path folder;

    private final SplittableRandom random = new SplittableRandom(5);
    private final Map<String, Digest> fromScratch = new HashMap<>();
    private final Map<Path, Digest> digests = new HashMap<>();
    private TinyPool pool;
    private int merges;

    private static MergeMethod method(String id) {
        return MergeMethod.of(id, Map.of());
    }

    @BeforeEach
    void pool() throws IOException {
        pool = new TinyPool(folder);
        for (String task : TinyPool.TASKS) {
            for (int version = 0; version < VERSIONS; version++) {
                Path copy = checkpoint(task, version);
                Files.createDirectories(copy);
                try (Stream<Path> files = Files.list(pool.expert(task))) {
                    for (Path file : files.toList()) {
                        Files.copy(file, copy.resolve(file.getFileName()));
                    }
                }
                scale(copy.resolve("model.safetensors"), 1 + 0.05f * version);
                digests.put(copy, Digest.ofDirectory(copy));
            }
        }
    }

    @Test
    void changesLeaveNothingBehind() throws IOException {
        Map<String, Integer> members = new TreeMap<>(Map.of("spam", 0, "hedges", 0));
        for (int change = 0; change < CHANGES; change++) {
            change(members);
            if (random.nextInt(20) == 0) {
                disturbCache();
            }
            MergeMethod method = METHODS.get(random.nextInt(METHODS.size()));
            String state = "%s of %s".formatted(method.id(), members);
            Digest whole = fromScratch.get(state);
            if (whole == null) {
                whole = merge(method, members, folder.resolve("empty-" + merges));
                fromScratch.put(state, whole);
            }
            assertThat(merge(method, members, folder.resolve("kept")))
                    .as("change %d: %s", change, state)
                    .isEqualTo(whole);
        }
    }

    /// An expert joins, leaves, or is replaced by another of its checkpoints; two stay at least.
    private void change(Map<String, Integer> members) {
        String task = TinyPool.TASKS.get(random.nextInt(TinyPool.TASKS.size()));
        if (members.containsKey(task) && members.size() > 2 && random.nextBoolean()) {
            members.remove(task);
        } else {
            members.put(task, random.nextInt(VERSIONS));
        }
    }

    /// Removes or damages something that is kept: all of it can be computed again.
    private void disturbCache() throws IOException {
        List<Path> kept;
        try (Stream<Path> files = Files.walk(folder.resolve("kept"))) {
            kept = files.filter(Files::isRegularFile).sorted().toList();
        }
        Path file = kept.get(random.nextInt(kept.size()));
        if (random.nextBoolean()) {
            Files.delete(file);
        } else {
            byte[] bytes = Files.readAllBytes(file);
            Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
        }
    }

    private Digest merge(MergeMethod method, Map<String, Integer> members, Path cache)
            throws IOException {
        List<MergeRequest.RequestedMember> requested = new ArrayList<>();
        members.forEach((task, version) -> {
            Path checkpoint = checkpoint(task, version);
            requested.add(
                    new MergeRequest.RequestedMember(
                            task,
                            checkpoint,
                            Objects.requireNonNull(digests.get(checkpoint)),
                            pool.taskFolder(task)));
        });
        Path target = Files.createDirectories(folder.resolve("merge-" + merges++));
        PoolMerger.merge(
                new MergeRequest(
                        pool.base(),
                        Digest.ofText("base"),
                        requested,
                        method,
                        null,
                        null,
                        Provenance.ofPool("mail", 4, "tiny-bert", null, Map.of()),
                        cache,
                        target),
                Progress.SILENT);
        Digest digest = Digest.ofDirectory(target);
        try (Stream<Path> files = Files.walk(target)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
        return digest;
    }

    private Path checkpoint(String task, int version) {
        return folder.resolve("checkpoints").resolve(task + version);
    }

    /// Every weight of a file, all of which are of 32 bits, times a factor.
    private static void scale(Path file, float factor) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 8 + (int) bytes.getLong(0); at < bytes.capacity(); at += Float.BYTES) {
            bytes.putFloat(at, factor * bytes.getFloat(at));
        }
        Files.write(file, bytes.array());
    }
}
