package dev.tributary.merge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.events.GradientComputed;
import dev.tributary.events.GradientRequested;
import dev.tributary.events.GradientShare;
import dev.tributary.events.PoolExpert;
import dev.tributary.merging.DescentQuestion;
import dev.tributary.merging.MergeAssistant;
import dev.tributary.merging.ShareAnswer;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.models.NativeHeap;
import dev.tributary.schemas.Topic;
import dev.tributary.tensors.ArtifactReference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/// Computes shares of other workers' merges while this one has none of its own: as soon as a merge
/// of its own waits, it leaves off.
final class GradientHelper {
    private static final Logger LOG = Logger.getLogger(GradientHelper.class);
    private static final Duration POLL = Duration.ofMillis(200);

    /// After so long without a question a merge is taken to be gone with its worker.
    private static final Duration SILENCE = Duration.ofMinutes(2);

    private final GradientChannel channel;
    private final Assistants assistants;
    private final Semaphore permits;
    private final Thread thread;

    /// The newest question of every merge that asks.
    private final Map<String, Heard> merges = new HashMap<>();

    /// Merges this worker cannot help with.
    private final Set<String> hopeless = new HashSet<>();

    private @Nullable Engagement engagement;

    /// Opens what is needed to answer a merge's questions.
    @FunctionalInterface
    interface Assistants {
        MergeAssistant open(
                String pool, ArtifactReference base, MergeMethod method, List<Wish.Member> members);
    }

    private record Heard(GradientRequested request, long atNanos) {}

    /// The merge this worker helps with.
    private static final class Engagement {
        private final String merge;
        private final MergeAssistant assistant;
        private long answered = -1;

        Engagement(String merge, MergeAssistant assistant) {
            this.merge = merge;
            this.assistant = assistant;
        }
    }

    /// @param permits as many as merges may run at the same time: help needs as much memory as one
    GradientHelper(GradientChannel channel, Assistants assistants, Semaphore permits) {
        this.channel = channel;
        this.assistants = assistants;
        this.permits = permits;
        this.thread = Thread.ofPlatform().name("gradient-helper").daemon().unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    private void run() {
        while (!Thread.currentThread().isInterrupted()) {
            try (Consumer<byte[], byte[]> consumer = channel.consumer();
                    Producer<byte[], byte[]> producer = channel.producer()) {
                follow(consumer);
                while (true) {
                    listen(consumer, POLL);
                    help(consumer, producer);
                }
            } catch (InterruptException _) {
                Thread.currentThread().interrupt();
            } catch (KafkaException e) {
                LOG.debugf(e, "requests for gradients cannot be read, trying again");
                rest();
            } finally {
                leave();
            }
        }
    }

    private static void rest() {
        try {
            Thread.sleep(Duration.ofSeconds(5));
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static void follow(Consumer<byte[], byte[]> consumer) {
        List<TopicPartition> all =
                IntStream.range(0, Topic.GRADIENT_REQUESTS.partitions())
                        .mapToObj(p -> new TopicPartition(Topic.GRADIENT_REQUESTS.topicName(), p))
                        .toList();
        consumer.assign(all);
        consumer.seekToEnd(all);
    }

    private void listen(Consumer<byte[], byte[]> consumer, Duration patience) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(patience)) {
            GradientRequested request = channel.event(record, GradientRequested.class);
            if (request == null || request.getWorker().equals(channel.worker())) {
                continue;
            }
            if (request.getNumber() == GradientRequests.NOTHING) {
                merges.remove(request.getMerge());
                hopeless.remove(request.getMerge());
            } else {
                merges.put(request.getMerge(), new Heard(request, System.nanoTime()));
            }
        }
        long oldest = System.nanoTime() - SILENCE.toNanos();
        merges.values().removeIf(heard -> heard.atNanos() < oldest);
    }

    private void help(Consumer<byte[], byte[]> consumer, Producer<byte[], byte[]> producer) {
        Engagement current = engagement;
        if (current != null && (permits.hasQueuedThreads() || !merges.containsKey(current.merge))) {
            leave();
            current = null;
        }
        if (current == null) {
            engage(producer);
            return;
        }
        Heard heard = merges.get(current.merge);
        if (heard != null && heard.request().getNumber() != current.answered) {
            current.answered = heard.request().getNumber();
            try {
                answer(current, heard.request(), consumer, producer);
            } catch (KafkaException e) {
                throw e;
            } catch (RuntimeException e) {
                giveUp(heard.request(), e);
                leave();
            }
        }
    }

    /// Joins a merge that asks, if there is one and this worker has nothing else to do.
    private void engage(Producer<byte[], byte[]> producer) {
        GradientRequested request =
                merges.values().stream()
                        .map(Heard::request)
                        .filter(one -> !hopeless.contains(one.getMerge()))
                        .findFirst()
                        .orElse(null);
        if (request == null || permits.hasQueuedThreads() || !permits.tryAcquire()) {
            return;
        }
        try {
            engagement = new Engagement(request.getMerge(), assistant(request));
            LOG.infof("helps %s pool=%s", request.getWorker(), request.getPool());
            send(request, GradientRequests.NOTHING, -1, null, producer);
        } catch (RuntimeException e) {
            giveUp(request, e);
            if (engagement == null) {
                permits.release();
            } else {
                leave();
            }
        }
    }

    /// Whoever merges does without.
    private void giveUp(GradientRequested request, RuntimeException cause) {
        LOG.warnf("cannot help %s pool=%s: %s", request.getWorker(), request.getPool(), cause);
        hopeless.add(request.getMerge());
    }

    private MergeAssistant assistant(GradientRequested request) {
        List<Wish.Member> members = new ArrayList<>();
        for (PoolExpert expert : request.getExperts()) {
            members.add(
                    new Wish.Member(
                            expert.getTask(),
                            PoolStateCodec.accepted(expert.getCheckpoints().getLast())));
        }
        return assistants.open(
                request.getPool(),
                PoolStateCodec.reference(request.getBase()),
                MergeMethod.of(request.getMethod(), request.getOptions()),
                members);
    }

    private void answer(
            Engagement current,
            GradientRequested request,
            Consumer<byte[], byte[]> consumer,
            Producer<byte[], byte[]> producer) {
        DescentQuestion question = question(request);
        for (GradientShare asked : request.getShares()) {
            if (!asked.getWorker().equals(channel.worker())) {
                continue;
            }
            listen(consumer, Duration.ZERO);
            Heard newest = merges.get(current.merge);
            if (newest == null || newest.request().getNumber() != request.getNumber()) {
                return; // nobody waits for this any more
            }
            ShareAnswer answer = current.assistant.answer(question, asked.getShare());
            send(request, request.getNumber(), asked.getShare(), answer, producer);
        }
    }

    private static DescentQuestion question(GradientRequested request) {
        double[] flat = GradientChannel.array(request.getCoefficients());
        int tasks = request.getExperts().size();
        int groups = flat.length / tasks;
        double[][] coefficients = new double[tasks][];
        for (int t = 0; t < tasks; t++) {
            coefficients[t] = Arrays.copyOfRange(flat, t * groups, (t + 1) * groups);
        }
        List<int[]> items = new ArrayList<>();
        for (List<Integer> ofTask : request.getItems()) {
            items.add(ofTask.stream().mapToInt(Integer::intValue).toArray());
        }
        return new DescentQuestion(request.getNumber(), coefficients, items);
    }

    private void send(
            GradientRequested request,
            long number,
            int share,
            @Nullable ShareAnswer answer,
            Producer<byte[], byte[]> producer) {
        GradientComputed event =
                GradientComputed.newBuilder()
                        .setPool(request.getPool())
                        .setMerge(request.getMerge())
                        .setNumber(number)
                        .setShare(share)
                        .setWorker(channel.worker())
                        .setLosses(list(answer == null ? new double[0] : answer.losses()))
                        .setGradient(list(answer == null ? new double[0] : answer.gradient()))
                        .setComputedAt(Instant.now())
                        .build();
        var _ =
                producer.send(
                        new ProducerRecord<>(
                                Topic.GRADIENTS.topicName(),
                                request.getPool().getBytes(UTF_8),
                                channel.bytes(Topic.GRADIENTS, event)));
    }

    private static List<Double> list(double[] values) {
        return Arrays.stream(values).boxed().toList();
    }

    private void leave() {
        Engagement current = engagement;
        if (current != null) {
            engagement = null;
            current.assistant.close();
            NativeHeap.giveBack();
            permits.release();
        }
    }

    /// Ends after the share that is being computed, which nobody needs any more.
    ///
    /// @return whether it has ended by now
    boolean stop() throws InterruptedException {
        thread.interrupt();
        return thread.join(KafkaClients.CLOSE_TIMEOUT);
    }
}
