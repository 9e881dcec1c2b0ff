package dev.tributary.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.events.DeadLetter;
import dev.tributary.events.GenerationFailed;
import dev.tributary.events.GenerationMerged;
import dev.tributary.schemas.Topic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// What happens to merges when workers and brokers come to harm: every wish still ends in exactly
/// one generation.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DisturbedWorkerIT {
    private static final Map<String, String> SLOW =
            Map.of(
                    "max_steps", "400",
                    "evaluate_every", "100000",
                    "patience", "1000",
                    "min_improvement", "0");

    private Installation installation;

    @BeforeAll
    void start(@TempDir Path folder) {
        installation = new Installation(folder);
    }

    @AfterAll
    void stop() {
        installation.close();
    }

    @Test
    void aWorkerKilledInTheMiddleOfAMergeLeavesExactlyOneGeneration() {
        configureSlow("killed");
        installation.publish("killed", "mail", 1);
        installation.publish("killed", "news", 2);
        WorkerProcess first = installation.worker("killed-1");
        first.awaitMerging("killed");
        first.kill();

        try (WorkerProcess second = installation.worker("killed-2")) {
            expectOneGeneration("killed");
            assertThat(second.alive()).isTrue();
        }
        assertThat(halfWritten()).isEmpty();
    }

    @Test
    void aMergeThatEndsTheProcessAgainAndAgainIsSetAside() throws IOException {
        configureSlow("looping");
        installation.publish("looping", "mail", 1);
        installation.publish("looping", "news", 2);
        WorkerProcess first = installation.worker("looping");
        first.awaitMerging("looping");
        first.kill();
        AttemptLedger ledger = new AttemptLedger(installation.cacheFolder("looping"));
        ledger.begin(ledger.unended().getFirst());
        assertThat(ledger.begin(ledger.unended().getFirst())).isEqualTo(3);

        try (WorkerProcess second = installation.worker("looping")) {
            List<DeadLetter> letters =
                    installation.await(Topic.DEAD_LETTERS, "looping", DeadLetter.class, 2);

            assertThat(letters)
                    .allSatisfy(letter -> assertThat(letter.getCode()).isEqualTo("CRASH_LOOP"));
            assertThat(installation.await(Topic.GENERATIONS, "looping", GenerationFailed.class, 1))
                    .hasSize(1);
            installation.awaitNoLag();
            assertThat(second.alive()).isTrue();
        }
        assertThat(generations("looping")).isEmpty();
    }

    @Test
    void aWorkerThatSleptWhileAnotherTookOverPublishesNothingStale() {
        configureSlow("slept");
        installation.publish("slept", "mail", 1);
        installation.publish("slept", "news", 2);
        try (WorkerProcess sleeper = installation.worker("slept-1")) {
            sleeper.awaitMerging("slept");
            sleeper.freeze();
            try (WorkerProcess second = installation.worker("slept-2")) {
                installation.await(Topic.GENERATIONS, "slept", GenerationMerged.class, 1);
                sleeper.thaw();
                installation.await(
                        () -> sleeper.status("/q/health/ready") == 200 && merging(sleeper) == 0,
                        () -> "the sleeper to be done: " + sleeper.merges());
                expectOneGeneration("slept");

                installation.publish("slept", "verse", 3);

                installation.await(Topic.GENERATIONS, "slept", GenerationMerged.class, 2);
                installation.awaitNoLag();
                assertThat(generations("slept"))
                        .extracting(GenerationMerged::getNumber)
                        .containsExactly(1L, 2L);
                assertThat(second.alive()).isTrue();
            }
        }
    }

    @Test
    void aBrokerThatGoesAndComesBackUnderAMergeCostsNothing() {
        configureSlow("bounced");
        installation.publish("bounced", "mail", 1);
        installation.publish("bounced", "news", 2);
        try (WorkerProcess worker = installation.worker("bounced")) {
            worker.awaitMerging("bounced");
            installation.stack().broker().kill();
            installation.await(
                    () -> worker.status("/q/health/ready") == 503,
                    () -> "not to be ready without a broker: " + worker.get("/q/health"));
            assertThat(worker.status("/q/health/live")).isEqualTo(200);
            installation.stack().broker().start();

            expectOneGeneration("bounced");
            installation.await(
                    () -> worker.status("/q/health/ready") == 200,
                    () -> "to be ready again: " + worker.get("/q/health"));
            assertThat(occurrences(worker.log(), "waiting for broker")).isEqualTo(1);
        }
    }

    @Test
    void aWorkerAskedToStopFinishesTheMergeThatRuns() {
        configureSlow("drained");
        installation.publish("drained", "mail", 1);
        installation.publish("drained", "news", 2);
        try (WorkerProcess worker = installation.worker("drained")) {
            worker.awaitMerging("drained");

            worker.terminate();

            assertThat(worker.exits(Installation.PATIENCE)).isTrue();
            assertThat(worker.log()).doesNotContain("is dropped");
        }
        assertThat(installation.await(Topic.GENERATIONS, "drained", GenerationMerged.class, 1))
                .hasSize(1);
        assertThat(installation.lag()).isZero();
    }

    @Test
    void aWorkerThatMayNotFinishDropsTheMergeAndLeavesItToTheNext() {
        configureSlow("dropped");
        installation.publish("dropped", "mail", 1);
        installation.publish("dropped", "news", 2);
        try (WorkerProcess worker =
                installation.worker("dropped-1", "-Dtributary.merge.drain=1ms")) {
            worker.awaitMerging("dropped");

            worker.terminate();

            assertThat(worker.exits(Installation.PATIENCE)).isTrue();
            assertThat(worker.log()).contains("is dropped");
        }
        assertThat(generations("dropped")).isEmpty();
        assertThat(installation.lag()).isPositive();
        assertThat(halfWritten()).isEmpty();
        try (WorkerProcess next = installation.worker("dropped-2")) {
            expectOneGeneration("dropped");
            assertThat(next.alive()).isTrue();
        }
    }

    @Test
    void aWorkerThatStartsWithoutABrokerWaitsAndSaysSo() {
        try (WorkerProcess worker =
                installation.worker(
                        "waiting",
                        "-Dkafka.bootstrap.servers=127.0.0.1:1",
                        "-Dschema.registry.url=http://127.0.0.1:1")) {
            installation.await(
                    () -> worker.get("/q/health/ready").contains("is it running"),
                    () -> "to say what it waits for: " + worker.get("/q/health"));
            worker.awaitLog("waiting for registry");

            assertThat(worker.status("/q/health/ready")).isEqualTo(503);
            assertThat(worker.status("/q/health/live")).isEqualTo(200);
            assertThat(occurrences(worker.log(), "waiting for broker")).isEqualTo(1);
        }
    }

    /// A pool whose merges take a while and are of no use to any other pool.
    private void configureSlow(String pool) {
        Map<String, String> options = new TreeMap<>(SLOW);
        options.put("seed", Integer.toString(pool.hashCode()));
        installation.configure(pool, "divmerge", options);
    }

    private void expectOneGeneration(String pool) {
        installation.await(Topic.GENERATIONS, pool, GenerationMerged.class, 1);
        installation.awaitNoLag();
        assertThat(generations(pool)).hasSize(1);
        assertThat(generations(pool).getFirst().getCovers())
                .containsExactly("configure " + pool, pool + " mail 1", pool + " news 2");
        assertThat(installation.events(Topic.DEAD_LETTERS, pool, DeadLetter.class)).isEmpty();
    }

    private List<GenerationMerged> generations(String pool) {
        return installation.events(Topic.GENERATIONS, pool, GenerationMerged.class);
    }

    /// Generations in the store that are not whole.
    private List<Path> halfWritten() {
        Path generations = installation.storeFolder().resolve("generations");
        if (!Files.exists(generations)) {
            return List.of();
        }
        try (Stream<Path> folders = Files.list(generations)) {
            return folders.filter(folder -> !Files.exists(folder.resolve("tributary.json")))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long merging(WorkerProcess worker) {
        return worker.merges().findValuesAsText("outcome").stream()
                .filter("RUNNING"::equals)
                .count();
    }

    private static int occurrences(String text, String words) {
        return text.split(words, -1).length - 1;
    }
}
