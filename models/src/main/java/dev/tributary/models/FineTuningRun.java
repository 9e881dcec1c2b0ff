package dev.tributary.models;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// One run of fine-tuning: the loop over epochs and steps, its schedule and its early end.
final class FineTuningRun implements AutoCloseable {
    /// So many batches are filled from a sorted stretch of the shuffled examples: enough that
    /// little is padded, few enough that batches stay random.
    private static final int BATCHES_SORTED_TOGETHER = 16;

    private static final double LOSS_MEMORY = 0.95;

    private final RunningModel model;
    private final @Nullable Head head;
    private final FineTuning settings;
    private final Lessons lessons;
    private final WeightUpdater updater;
    private final long started = System.nanoTime();
    private long tokens;
    private int step;
    private double loss;

    FineTuningRun(RunningModel model, @Nullable Head head, FineTuning settings, Lessons lessons) {
        this.model = model;
        this.head = head;
        this.settings = settings;
        this.lessons = lessons;
        this.updater = new WeightUpdater(settings.clipNorm());
        List<String> trained = new ArrayList<>(model.parameters().keySet());
        trained.removeIf(name ->
                (settings.freezeEmbeddings() && model.architecture().groupOf(name) == 0)
                        || (head != null && head.parameters().containsKey(name)));
        model.train(trained);
        for (String name : trained) {
            updater.add(
                    model.weights(name),
                    () -> model.gradient(name),
                    settings.learningRate(),
                    decay(model.parameters().get(name)));
        }
        if (head != null) {
            train(head);
        }
    }

    private void train(Head head) {
        head.train(head.parameters().keySet());
        for (String name : head.parameters().keySet()) {
            updater.add(
                    head.weights(name),
                    () -> head.gradient(name),
                    settings.headLearningRate(),
                    decay(head.parameters().get(name)));
        }
    }

    private double decay(@Nullable List<Long> shape) {
        return shape != null && shape.size() > 1 ? settings.weightDecay() : 0;
    }

    FineTuned train(Path target, DoubleSupplier validation, Consumer<FineTuningProgress> progress) {
        int stepsAnEpoch = Math.ceilDiv(lessons.inputs().size(), settings.batchSize());
        int steps = stepsAnEpoch * settings.epochs();
        List<Double> scores = new ArrayList<>();
        double best = Double.NEGATIVE_INFINITY;
        int sinceBest = 0;
        for (int epoch = 1;
                epoch <= settings.epochs() && sinceBest < settings.patience();
                epoch++) {
            List<int[]> batches = batches(epoch);
            for (int i = 0; i < batches.size(); i++) {
                step(batches.get(i), steps);
                if (i + 1 < batches.size()) {
                    progress.accept(progress(epoch, steps, OptionalDouble.empty()));
                }
            }
            double score = validation.getAsDouble();
            scores.add(score);
            progress.accept(progress(epoch, steps, OptionalDouble.of(score)));
            sinceBest++;
            if (score > best) {
                best = score;
                sinceBest = 0;
                updater.keep();
            }
        }
        updater.restore();
        rewritten();
        return new FineTuned(target, best, scores, step, tokens, elapsed());
    }

    private void step(int[] rows, int steps) {
        Batch batch = lessons.inputs().batch(rows);
        model.zeroGradients();
        if (head != null) {
            head.zeroGradients();
        }
        double here = model.backward(head, batch, new CrossEntropy(lessons.expected().apply(rows)));
        updater.step(schedule(step, steps));
        rewritten();
        loss = step == 0 ? here : LOSS_MEMORY * loss + (1 - LOSS_MEMORY) * here;
        step++;
        tokens += (long) batch.rows() * batch.length();
    }

    private void rewritten() {
        model.rewritten();
        if (head != null) {
            head.rewritten();
        }
    }

    /// Rises from near 0 to 1 over the warm-up, then falls to 0 at the end.
    private double schedule(int stepsDone, int steps) {
        int warmup = (int) Math.ceil(settings.warmupFraction() * steps);
        return stepsDone < warmup
                ? (stepsDone + 1.0) / warmup
                : (double) (steps - stepsDone) / Math.max(1, steps - warmup);
    }

    /// This epoch's batches: shuffled, then sorted by length within stretches, then shuffled again
    /// as batches. Depends on seed and epoch only.
    private List<int[]> batches(int epoch) {
        Random random = new Random(settings.seed() * 1_000_003 + epoch);
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, lessons.inputs().size()).boxed().toList());
        Collections.shuffle(order, random);
        int stretch = settings.batchSize() * BATCHES_SORTED_TOGETHER;
        List<int[]> batches = new ArrayList<>();
        for (int start = 0; start < order.size(); start += stretch) {
            List<Integer> sorted =
                    new ArrayList<>(order.subList(start, Math.min(order.size(), start + stretch)));
            sorted.sort(Comparator.comparingInt(lessons.inputs()::length));
            for (int from = 0; from < sorted.size(); from += settings.batchSize()) {
                int to = Math.min(sorted.size(), from + settings.batchSize());
                batches.add(sorted.subList(from, to).stream().mapToInt(i -> i).toArray());
            }
        }
        Collections.shuffle(batches, random);
        return batches;
    }

    private FineTuningProgress progress(int epoch, int steps, OptionalDouble validation) {
        Duration elapsed = elapsed();
        double seconds = elapsed.toNanos() / 1e9;
        long remaining = (long) (elapsed.toMillis() / (double) step * (steps - step));
        return new FineTuningProgress(
                epoch,
                step,
                steps,
                loss,
                validation,
                tokens / seconds,
                Duration.ofMillis(remaining));
    }

    private Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - started);
    }

    @Override
    public void close() {
        updater.close();
    }
}
