package dev.tributary.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tributary.schemas.Topic;
import dev.tributary.schemas.TopicCreator;
import dev.tributary.stack.LocalBroker;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// Who may publish what, decided by a real broker.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AnswerPublisherIT {
    private static final String GROUP = "publishing";
    private static final Duration POLL = Duration.ofMillis(100);

    private LocalBroker broker;
    private KafkaClients clients;
    private Admin admin;

    @BeforeAll
    void start(@TempDir Path folder) {
        broker = LocalBroker.in(folder).start();
        clients = new KafkaClients(Map.of("bootstrap.servers", broker.bootstrapServers()));
        admin = clients.admin();
        new TopicCreator(admin).create(ContractCheck.TOPICS);
    }

    @AfterAll
    void stop() {
        admin.close();
        broker.close();
    }

    @Test
    void aBrokerMadeFromTheCatalogueIsFoundFit() throws Exception {
        assertThat(ContractCheck.faults(admin)).isEmpty();
    }

    @Test
    void whoWasReplacedCanPublishNothingHoweverLateItWakesUp() throws Exception {
        TopicPartition source = new TopicPartition(Topic.POOL_EVENTS.topicName(), 0);
        try (Consumer<byte[], byte[]> member = member();
                AnswerPublisher stale = AnswerPublisher.open(clients, source, membership(member));
                AnswerPublisher fresh = AnswerPublisher.open(clients, source, membership(member))) {

            AnswerPublisher.LostException refused =
                    catchThrowableOfType(
                            AnswerPublisher.LostException.class,
                            () -> stale.publish(List.of(record(0, "stale")), 7, () -> false));
            fresh.publish(List.of(record(0, "fresh")), 3, () -> false);

            assertThat(refused.fenced()).isTrue();
            assertThat(published(0)).containsExactly("fresh");
            assertThat(committed(source)).isEqualTo(3);
        }
    }

    @Test
    void aMemberWhoseEpochHasMovedOnPublishesAfterItsNextPoll() throws Exception {
        TopicPartition source = new TopicPartition(Topic.POOL_EVENTS.topicName(), 1);
        try (Consumer<byte[], byte[]> member = member()) {
            Membership membership = membership(member);
            try (AnswerPublisher publisher = AnswerPublisher.open(clients, source, membership);
                    Consumer<byte[], byte[]> newcomer = member()) {
                while (newcomer.assignment().isEmpty()) {
                    newcomer.poll(POLL);
                    member.poll(POLL); // its own epoch moves on, unseen by the publisher
                }

                CompletableFuture<Void> publishing =
                        CompletableFuture.runAsync(() -> publish(publisher, record(1, "late")));
                while (!publishing.isDone()) {
                    member.poll(POLL);
                    newcomer.poll(POLL);
                    membership.polled(member.groupMetadata());
                }

                publishing.get();
                assertThat(published(1)).containsExactly("late");
                assertThat(committed(source)).isEqualTo(5);
            }
        }
    }

    private static void publish(AnswerPublisher publisher, ProducerRecord<byte[], byte[]> record) {
        try {
            publisher.publish(List.of(record), 5, () -> false);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private Consumer<byte[], byte[]> member() {
        Consumer<byte[], byte[]> member = clients.events(GROUP);
        member.subscribe(List.of(Topic.POOL_EVENTS.topicName()));
        return member;
    }

    private static Membership membership(Consumer<byte[], byte[]> member) {
        while (member.assignment().isEmpty()) {
            member.poll(POLL);
        }
        Membership membership = new Membership();
        membership.polled(member.groupMetadata());
        return membership;
    }

    private static ProducerRecord<byte[], byte[]> record(int partition, String text) {
        return new ProducerRecord<>(
                Topic.GENERATIONS.topicName(),
                partition,
                null,
                text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    /// What committed transactions have left. A commit returns before its markers are written, so
    /// reading goes on up to the end that also counts what is not decided yet.
    private List<String> published(int partition) throws Exception {
        TopicPartition generations = new TopicPartition(Topic.GENERATIONS.topicName(), partition);
        List<String> texts = new ArrayList<>();
        try (Consumer<byte[], byte[]> reader = clients.table()) {
            reader.assign(List.of(generations));
            reader.seekToBeginning(List.of(generations));
            long end =
                    admin.listOffsets(Map.of(generations, OffsetSpec.latest()))
                            .partitionResult(generations)
                            .get()
                            .offset();
            while (reader.position(generations) < end) {
                reader.poll(POLL)
                        .forEach(record ->
                                texts.add(
                                        new String(
                                                record.value(),
                                                java.nio.charset.StandardCharsets.UTF_8)));
            }
        }
        return texts;
    }

    private long committed(TopicPartition source) throws Exception {
        return Objects.requireNonNull(
                        admin.listConsumerGroupOffsets(
                                        GROUP,
                                        new ListConsumerGroupOffsetsOptions().requireStable(true))
                                .partitionsToOffsetAndMetadata()
                                .get()
                                .get(source))
                .offset();
    }
}
