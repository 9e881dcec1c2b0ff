package dev.tributary.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalBrokerIT {

    private static final String TOPIC = "records";

    @TempDir Path folder;

    @Test
    void recordsOutliveAnOrderlyStopAndAKill() throws Exception {
        try (LocalBroker broker = LocalBroker.in(folder).start()) {
            try (Admin admin = broker.admin()) {
                admin.createTopics(List.of(new NewTopic(TOPIC, Optional.of(1), Optional.empty())))
                        .all()
                        .get();
            }
            commit(broker, "before the stop");
            broker.stop();
            assertThat(broker.running()).isFalse();

            broker.start();
            commit(broker, "before the kill");
            broker.kill();
            assertThat(broker.running()).isFalse();

            broker.start();
            commit(broker, "after the kill");

            assertThat(committed(broker, 3))
                    .containsExactly("before the stop", "before the kill", "after the kill");
        }
    }

    @Test
    void aPortInUseIsRefusedBeforeAnythingStarts() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> LocalBroker.in(folder, taken.getLocalPort()))
                    .isInstanceOf(StackException.class)
                    .hasMessageStartingWith(
                            "[broker] port %d cannot be used".formatted(taken.getLocalPort()));
        }
    }

    @Test
    void aSettingKafkaRefusesIsReportedWithTheLastLinesOfTheLog() {
        try (LocalBroker broker = LocalBroker.in(folder).with("num.io.threads", "none")) {
            assertThatThrownBy(broker::start)
                    .isInstanceOf(StackException.class)
                    .hasMessageStartingWith("[broker] the process ended with code 1")
                    .hasMessageContaining("Invalid value none for configuration num.io.threads");
        }
    }

    @Test
    void aSecondBrokerOnTheSameFolderIsRefused() {
        try (LocalBroker first = LocalBroker.in(folder).start();
                LocalBroker second = LocalBroker.in(folder)) {
            assertThatThrownBy(second::start)
                    .isInstanceOf(StackException.class)
                    .hasMessageContaining(
                            "another broker is running on this folder, expected none");
            assertThat(first.running()).isTrue();
        }
    }

    private static void commit(LocalBroker broker, String value) {
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(
                        Map.of(
                                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                                broker.bootstrapServers(),
                                ProducerConfig.TRANSACTIONAL_ID_CONFIG,
                                "writer"),
                        new StringSerializer(),
                        new StringSerializer())) {
            producer.initTransactions();
            producer.beginTransaction();
            var _ = producer.send(new ProducerRecord<>(TOPIC, value));
            producer.commitTransaction();
        }
    }

    private static List<String> committed(LocalBroker broker, int count) {
        TopicPartition partition = new TopicPartition(TOPIC, 0);
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(
                        Map.of(
                                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                                broker.bootstrapServers(),
                                ConsumerConfig.ISOLATION_LEVEL_CONFIG,
                                "read_committed"),
                        new StringDeserializer(),
                        new StringDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
            while (values.size() < count && System.nanoTime() < end) {
                consumer.poll(Duration.ofMillis(200)).forEach(it -> values.add(it.value()));
            }
        }
        return values;
    }
}
