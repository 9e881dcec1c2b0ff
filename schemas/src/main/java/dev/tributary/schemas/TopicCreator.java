package dev.tributary.schemas;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/// Brings the topics of a broker in line with the catalogue: creates those that are missing and
/// refuses those with another number of partitions.
public final class TopicCreator {

    private final Admin admin;

    /// @param admin stays the caller's to close
    public TopicCreator(Admin admin) {
        this.admin = admin;
    }

    /// Creates the topics that are missing, with the broker's default replication. Several programs
    /// may do so at the same time.
    ///
    /// @return the topics created now
    /// @throws ContractBrokenException when a topic is there with another number of partitions;
    ///   nothing is created then
    public List<Topic> create(Collection<Topic> topics) {
        List<Topic> missing = missing(topics);
        var outcome = admin.createTopics(missing.stream().map(TopicCreator::wanted).toList());
        List<Topic> created = new ArrayList<>();
        outcome.values()
                .forEach((name, result) -> {
                    if (isNew(name, result)) {
                        Topic.named(name).ifPresent(created::add);
                    }
                });
        if (created.size() < missing.size()) {
            var _ = missing(topics); // another program was faster: what it made must fit as well
        }
        return created;
    }

    private List<Topic> missing(Collection<Topic> topics) {
        List<Topic> missing = new ArrayList<>();
        List<String> faults = new ArrayList<>();
        for (Topic topic : topics) {
            Optional<Integer> partitions = partitions(topic);
            if (partitions.isEmpty()) {
                missing.add(topic);
            } else if (partitions.get() != topic.partitions()) {
                faults.add(fault(topic, partitions.get()));
            }
        }
        if (!faults.isEmpty()) {
            throw new ContractBrokenException(faults);
        }
        return missing;
    }

    private static String fault(Topic topic, int found) {
        return "[%s] has %d partitions, expected %d: another count sends a pool's later records to another partition than its earlier ones; copy it into a new topic of %d partitions, or remove it if it holds nothing of worth"
                .formatted(topic.topicName(), found, topic.partitions(), topic.partitions());
    }

    private Optional<Integer> partitions(Topic topic) {
        try {
            Map<String, TopicDescription> found =
                    admin.describeTopics(List.of(topic.topicName())).allTopicNames().get();
            return found.values().stream().map(it -> it.partitions().size()).findFirst();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return Optional.empty();
            }
            throw failed(topic.topicName(), e);
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    private static NewTopic wanted(Topic topic) {
        return new NewTopic(topic.topicName(), Optional.of(topic.partitions()), Optional.empty())
                .configs(topic.retention().settings());
    }

    private static boolean isNew(String topicName, KafkaFuture<Void> result) {
        try {
            result.get();
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TopicExistsException) {
                return false;
            }
            throw failed(topicName, e);
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    private static KafkaException failed(String topicName, ExecutionException e) {
        return new KafkaException(
                "[%s] the broker could not be asked about the topic: %s"
                        .formatted(topicName, String.valueOf(e.getCause())),
                e.getCause());
    }
}
