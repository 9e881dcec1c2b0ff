package dev.tributary.merge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.events.GradientComputed;
import dev.tributary.events.GradientRequested;
import dev.tributary.events.GradientShare;
import dev.tributary.events.PoolExpert;
import dev.tributary.merging.Colleagues;
import dev.tributary.merging.DescentQuestion;
import dev.tributary.merging.ShareAnswer;
import dev.tributary.schemas.Topic;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.jboss.logging.Logger;

/// Asks idle workers for shares of one merge's losses and gradients, over the broker. The merge
/// does not depend on it: while the broker does not answer, nobody is there.
///
/// For one thread at a time.
final class GradientRequests implements Colleagues, AutoCloseable {
    private static final Logger LOG = Logger.getLogger(GradientRequests.class);

    /// The number that says that nothing more is asked, or that a worker is ready to be.
    static final long NOTHING = -1;

    private final Wish wish;
    private final GradientChannel channel;
    private final Producer<byte[], byte[]> producer;
    private final Consumer<byte[], byte[]> consumer;
    private final String merge = UUID.randomUUID().toString();
    private final Set<String> present = new LinkedHashSet<>();
    private final Deque<Answered> arrived = new ArrayDeque<>();
    private boolean lost;

    /// Opens a channel for one merge.
    GradientRequests(Wish wish, GradientChannel channel) {
        this.wish = wish;
        this.channel = channel;
        this.producer = channel.producer();
        this.consumer = channel.consumer();
        attempt(() -> {
            TopicPartition answers =
                    new TopicPartition(
                            Topic.GRADIENTS.topicName(), Topic.GRADIENTS.partitionOf(wish.pool()));
            consumer.assign(List.of(answers));
            consumer.seekToEnd(List.of(answers));
            consumer.position(answers); // now, not at the first poll
        });
    }

    @Override
    public List<String> present() {
        attempt(() -> receive(Duration.ZERO));
        return lost ? List.of() : List.copyOf(present);
    }

    @Override
    public void ask(DescentQuestion question, Map<Integer, String> shares) {
        attempt(() -> send(question.number(), question, shares));
    }

    @Override
    public Optional<Answered> next(Duration patience) throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        do {
            if (arrived.isEmpty() && !lost) {
                long left = Math.max(0, deadline - System.nanoTime());
                attempt(() -> receive(Duration.ofNanos(left)));
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        } while (arrived.isEmpty() && !lost && System.nanoTime() < deadline);
        return Optional.ofNullable(arrived.poll());
    }

    private void receive(Duration patience) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(patience)) {
            GradientComputed answer = channel.event(record, GradientComputed.class);
            if (answer == null || !answer.getMerge().equals(merge)) {
                continue;
            }
            if (answer.getNumber() == NOTHING) {
                if (present.add(answer.getWorker())) {
                    LOG.infof("%s helps pool=%s", answer.getWorker(), wish.pool());
                }
            } else {
                arrived.add(
                        new Answered(
                                answer.getWorker(),
                                answer.getNumber(),
                                answer.getShare(),
                                new ShareAnswer(
                                        GradientChannel.array(answer.getLosses()),
                                        GradientChannel.array(answer.getGradient()))));
            }
        }
    }

    private void send(long number, DescentQuestion question, Map<Integer, String> shares) {
        List<GradientShare> asked = new ArrayList<>();
        shares.forEach((share, worker) -> asked.add(new GradientShare(share, worker)));
        List<PoolExpert> experts = new ArrayList<>();
        for (Wish.Member member : wish.members()) {
            experts.add(
                    new PoolExpert(
                            member.task(), List.of(PoolStateCodec.checkpoint(member.accepted()))));
        }
        List<List<Integer>> items = new ArrayList<>();
        for (int[] ofTask : question.items()) {
            items.add(Arrays.stream(ofTask).boxed().toList());
        }
        GradientRequested event =
                GradientRequested.newBuilder()
                        .setPool(wish.pool())
                        .setMerge(merge)
                        .setNumber(number)
                        .setBase(PoolStateCodec.reference(wish.base()))
                        .setMethod(wish.method().id())
                        .setOptions(wish.method().options())
                        .setExperts(experts)
                        .setCoefficients(
                                Arrays.stream(question.coefficients())
                                        .flatMapToDouble(Arrays::stream)
                                        .boxed()
                                        .toList())
                        .setItems(items)
                        .setShares(asked)
                        .setWorker(channel.worker())
                        .setRequestedAt(Instant.now())
                        .build();
        var _ =
                producer.send(
                        new ProducerRecord<>(
                                Topic.GRADIENT_REQUESTS.topicName(),
                                wish.pool().getBytes(UTF_8),
                                channel.bytes(Topic.GRADIENT_REQUESTS, event)));
    }

    /// Nothing that fails here fails the merge.
    private void attempt(Runnable work) {
        if (lost) {
            return;
        }
        try {
            work.run();
        } catch (InterruptException _) {
            // the flag is set; whoever waits looks at it
        } catch (KafkaException e) {
            LOG.warnf("nobody is asked for help any more pool=%s: %s", wish.pool(), e);
            lost = true;
        }
    }

    /// Says that nothing more is asked.
    @Override
    public void close() {
        attempt(() -> {
            send(NOTHING, new DescentQuestion(NOTHING, new double[0][0], List.of()), Map.of());
            producer.flush();
        });
        producer.close(KafkaClients.CLOSE_TIMEOUT);
        consumer.close(
                org.apache.kafka.clients.consumer.CloseOptions.timeout(KafkaClients.CLOSE_TIMEOUT));
    }
}
