package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Progress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A descent with colleagues that help, are late, are gone or compute otherwise: the merged model
/// is the same bytes as without any.
class SharedObjectiveTest {
    private static final MergeMethod METHOD =
            MergeMethod.of(
                    "divmerge",
                    Map.of(
                            "shares",
                            "3",
                            "max_steps",
                            "24",
                            "evaluate_every",
                            "6",
                            "patience",
                            "9"));

    @TempDir private Path folder;

    private TinyPool pool;
    private Digest alone;

    /// A colleague in a thread of its own, with a model of its own.
    private final class Colleague implements Colleagues, AutoCloseable {
        private final BlockingQueue<Runnable> work = new LinkedBlockingQueue<>();
        private final BlockingQueue<Answered> answers = new LinkedBlockingQueue<>();
        private final AtomicInteger asked = new AtomicInteger();
        private final MergeAssistant assistant;
        private final double wrong;
        private final int answersInAll;
        private final Duration delay;
        private final Thread thread;

        /// @param wrong what is added to the first loss of each share
        /// @param answersInAll how many answers are given; then none any more
        /// @param delay how much later than it could each answer comes
        Colleague(double wrong, int answersInAll, Duration delay) {
            this.assistant =
                    PoolMerger.assist(
                            pool.request(METHOD, folder.resolve("help"), "spam", "hedges", "nouns"),
                            Progress.SILENT);
            this.wrong = wrong;
            this.answersInAll = answersInAll;
            this.delay = delay;
            thread = Thread.ofPlatform().start(this::serve);
        }

        private void serve() {
            try (assistant) {
                while (true) {
                    work.take().run();
                }
            } catch (InterruptedException _) {
                // the end
            }
        }

        @Override
        public List<String> present() {
            return List.of("colleague");
        }

        @Override
        public void ask(DescentQuestion question, Map<Integer, String> shares) {
            shares.forEach((share, colleague) -> {
                assertThat(colleague).isEqualTo("colleague");
                if (asked.incrementAndGet() <= answersInAll) {
                    work.add(() -> answer(question, share));
                }
            });
        }

        private void answer(DescentQuestion question, int share) {
            ShareAnswer answer = assistant.answer(question, share);
            double[] losses = answer.losses();
            losses[0] += wrong;
            try {
                Thread.sleep(delay);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
            answers.add(
                    new Answered(
                            "colleague",
                            question.number(),
                            share,
                            new ShareAnswer(losses, answer.gradient())));
        }

        @Override
        public Optional<Answered> next(Duration patience) throws InterruptedException {
            return Optional.ofNullable(answers.poll(patience.toNanos(), TimeUnit.NANOSECONDS));
        }

        @Override
        public void close() {
            thread.interrupt();
            try {
                thread.join();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @BeforeEach
    void alone() {
        pool = new TinyPool(folder);
        alone = merged("alone", Colleagues.NONE);
    }

    @Test
    void aColleagueTakesSharesAndChangesNothing() {
        try (Colleague colleague = new Colleague(0, Integer.MAX_VALUE, Duration.ZERO)) {
            assertThat(merged("helped", colleague)).isEqualTo(alone);
            assertThat(colleague.asked.get()).isGreaterThan(10);
        }
    }

    @Test
    void oneThatComputesOtherwiseIsAskedOnce() {
        try (Colleague colleague = new Colleague(1e-12, Integer.MAX_VALUE, Duration.ZERO)) {
            assertThat(merged("helped", colleague)).isEqualTo(alone);
            assertThat(colleague.asked.get()).isLessThan(5);
        }
    }

    @Test
    void oneThatGoesIsNotWaitedForAgainAndAgain() {
        try (Colleague colleague = new Colleague(0, 4, Duration.ZERO)) {
            long began = System.nanoTime();
            assertThat(merged("helped", colleague)).isEqualTo(alone);
            assertThat(colleague.asked.get()).isGreaterThan(4);
            assertThat(Duration.ofNanos(System.nanoTime() - began))
                    .isLessThan(Duration.ofSeconds(20));
        }
    }

    @Test
    void oneThatIsSlowKeepsNobodyWaiting() {
        try (Colleague colleague = new Colleague(0, Integer.MAX_VALUE, Duration.ofMillis(700))) {
            assertThat(merged("helped", colleague)).isEqualTo(alone);
        }
    }

    @Test
    void sharesDifferFromTheWholeInTheirLastDigitsAtMost() {
        MergeMethod whole =
                MergeMethod.of(
                        "divmerge",
                        Map.of("max_steps", "24", "evaluate_every", "6", "patience", "9"));
        Golden.Tensors shared = Golden.tensors(folder.resolve("alone/model.safetensors"));
        PoolMerger.merge(
                pool.request(whole, folder.resolve("whole"), "spam", "hedges", "nouns"),
                Progress.SILENT);
        Golden.tensors(folder.resolve("whole/model.safetensors"))
                .byName()
                .forEach((name, values) ->
                        assertThat(shared.get(name))
                                .containsExactly(
                                        values, org.assertj.core.api.Assertions.within(1e-4f)));
    }

    /// @param name the folder, which the bytes do not depend on
    private Digest merged(String name, Colleagues colleagues) {
        MergeRequest request =
                pool.request(METHOD, folder.resolve(name), "spam", "hedges", "nouns");
        Path cache = folder.resolve("cache-" + name); // nothing of other runs is gone on with
        PoolMerger.merge(
                new MergeRequest(
                        request.base(),
                        request.baseDigest(),
                        request.members(),
                        request.method(),
                        null,
                        null,
                        request.provenance(),
                        cache,
                        request.targetFolder()),
                colleagues,
                Progress.SILENT);
        return Digest.ofDirectory(folder.resolve(name));
    }
}
