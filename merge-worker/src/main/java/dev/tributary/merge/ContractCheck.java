package dev.tributary.merge;

import dev.tributary.schemas.Topic;
import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FinalizedVersionRange;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/// Finds out whether broker and registry hold what this worker relies on: the topics with the
/// catalogue's number of partitions, transactions that shut out whoever was declared dead, and the
/// schemas of everything it writes.
final class ContractCheck {
    /// The topics this worker reads and writes.
    static final List<Topic> TOPICS =
            List.of(
                    Topic.POOL_EVENTS,
                    Topic.POOL_STATES,
                    Topic.GENERATIONS,
                    Topic.DEAD_LETTERS,
                    Topic.POOL_EVENTS_DLQ,
                    Topic.GRADIENT_REQUESTS,
                    Topic.GRADIENTS);

    private static final String TRANSACTION_VERSION = "transaction.version";

    /// From this version on a producer's epoch grows with each transaction, so that a message that
    /// was under way for long cannot slip into a later one (KIP-890).
    private static final int SAFE_TRANSACTIONS = 2;

    private static final int NOT_FOUND = 404;

    private ContractCheck() {}

    /// Everything the broker lacks, a sentence each.
    static List<String> faults(Admin admin) throws ExecutionException, InterruptedException {
        List<String> faults = new ArrayList<>();
        Map<String, KafkaFuture<TopicDescription>> found =
                admin.describeTopics(TOPICS.stream().map(Topic::topicName).toList())
                        .topicNameValues();
        for (Topic topic : TOPICS) {
            topic(topic, Objects.requireNonNull(found.get(topic.topicName())), faults);
        }
        FinalizedVersionRange transactions =
                admin.describeFeatures()
                        .featureMetadata()
                        .get()
                        .finalizedFeatures()
                        .get(TRANSACTION_VERSION);
        int version = transactions == null ? 0 : transactions.maxVersionLevel();
        if (version < SAFE_TRANSACTIONS) {
            faults.add(
                    "[broker] has %s %d, expected at least %d: raise it with kafka-features.sh upgrade --feature %s=%d"
                            .formatted(
                                    TRANSACTION_VERSION,
                                    version,
                                    SAFE_TRANSACTIONS,
                                    TRANSACTION_VERSION,
                                    SAFE_TRANSACTIONS));
        }
        return faults;
    }

    /// Every schema the registry lacks, a sentence each.
    static List<String> faults(SchemaRegistryClient registry) throws IOException {
        List<String> faults = new ArrayList<>();
        for (Topic topic : TOPICS) {
            if (!topic.recordTypes().isEmpty()) {
                schema(registry, topic, faults);
            }
        }
        return faults;
    }

    private static void topic(
            Topic topic, KafkaFuture<TopicDescription> description, List<String> faults)
            throws ExecutionException, InterruptedException {
        try {
            int partitions = description.get().partitions().size();
            if (partitions != topic.partitions()) {
                faults.add(
                        "[%s] has %d partitions, expected %d: another count separates a pool's later records from its earlier ones"
                                .formatted(topic.topicName(), partitions, topic.partitions()));
            }
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                throw e;
            }
            faults.add(
                    "[%s] is not there, expected a topic of %d partitions: create the topics of the catalogue first"
                            .formatted(topic.topicName(), topic.partitions()));
        }
    }

    private static void schema(SchemaRegistryClient registry, Topic topic, List<String> faults)
            throws IOException {
        try {
            var _ = registry.getId(topic.subject(), new AvroSchema(topic.schema().registered()));
        } catch (RestClientException e) {
            if (e.getStatus() != NOT_FOUND) {
                throw new IOException(e.getMessage(), e);
            }
            faults.add(
                    "[%s] the registry does not hold this version of the schema: register the schemas of the catalogue first"
                            .formatted(topic.subject()));
        }
    }
}
