package dev.tributary.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.events.GenerationMerged;
import dev.tributary.events.GradientComputed;
import dev.tributary.schemas.Topic;
import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// One merge on one, two and four workers, with a helper killed and a helper that sleeps: the same
/// weights to the bit.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HelpedMergeIT {
    private static final List<String> TASKS = List.of("mail", "news", "posts", "verse");
    private static final Map<String, String> SHARED =
            Map.of(
                    "shares", "4",
                    "max_steps", "200",
                    "evaluate_every", "100000",
                    "patience", "1000",
                    "min_improvement", "0");

    private Installation installation;
    private Digest alone;

    @BeforeAll
    void mergedAlone(@TempDir Path folder) {
        installation = new Installation(folder);
        publish("alone");
        try (WorkerProcess _ = installation.worker("alone", "-Dtributary.merge.help=false")) {
            alone = merged("alone");
        }
        assertThat(answers("alone")).isEmpty();
    }

    @AfterAll
    void stop() {
        installation.close();
    }

    @Test
    void twoWorkers() {
        withWorkers("two", 2, (_, _) -> {});

        assertThat(answers("two")).hasSizeGreaterThan(20);
    }

    @Test
    void fourWorkersOfWhichOneIsKilledAndOneFallsAsleep() {
        withWorkers(
                "four",
                4,
                (_, helpers) -> {
                    awaitAnswers("four");
                    helpers.getFirst().kill();
                    helpers.getLast().freeze();
                });
    }

    @Test
    void theOneThatMergesIsKilled() {
        withWorkers(
                "orphaned",
                2,
                (owner, _) -> {
                    awaitAnswers("orphaned");
                    owner.kill();
                });
    }

    private interface Harm {
        void done(WorkerProcess owner, List<WorkerProcess> helpers);
    }

    private void withWorkers(String pool, int count, Harm harm) {
        List<WorkerProcess> workers = new ArrayList<>();
        try {
            publish(pool); // all before anybody merges: one generation, from scratch
            for (int i = 1; i <= count; i++) {
                workers.add(installation.worker("%s-%d".formatted(pool, i)));
            }
            List<WorkerProcess> helpers = new ArrayList<>(workers);
            WorkerProcess owner = owner(pool, workers);
            helpers.remove(owner);
            harm.done(owner, helpers);

            assertThat(merged(pool)).isEqualTo(alone);
        } finally {
            workers.forEach(WorkerProcess::close);
        }
    }

    private WorkerProcess owner(String pool, List<WorkerProcess> workers) {
        installation.await(
                () -> workers.stream().anyMatch(worker -> worker.merging(pool)),
                () -> "somebody to merge " + pool);
        return workers.stream().filter(worker -> worker.merging(pool)).findFirst().orElseThrow();
    }

    private void publish(String pool) {
        installation.configure(pool, "divmerge", SHARED);
        for (int i = 0; i < TASKS.size(); i++) {
            installation.publish(pool, TASKS.get(i), i + 1L);
        }
    }

    private void awaitAnswers(String pool) {
        installation.await(
                () -> answers(pool).size() > 4,
                () -> "gradients of %s, found %s".formatted(pool, answers(pool)));
    }

    /// Shares that were computed for a pool's merge by others.
    private List<GradientComputed> answers(String pool) {
        return installation.events(Topic.GRADIENTS, pool, GradientComputed.class).stream()
                .filter(one -> one.getNumber() >= 0)
                .toList();
    }

    /// The weights of the pool's generation of all tasks, which is then removed, so that the next
    /// pool does not find it.
    private Digest merged(String pool) {
        installation.await(
                () ->
                        generations(pool).stream()
                                .anyMatch(one -> one.getMembers().size() == TASKS.size()),
                () -> "a generation of all tasks of %s: %s".formatted(pool, generations(pool)));
        String uri = generations(pool).getLast().getArtifact().getUri();
        Path folder = installation.storeFolder().resolve(uri.substring("store:".length()));
        Digest weights = Digest.of(folder.resolve("model.safetensors"));
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return weights;
    }

    private List<GenerationMerged> generations(String pool) {
        return installation.events(Topic.GENERATIONS, pool, GenerationMerged.class);
    }
}
