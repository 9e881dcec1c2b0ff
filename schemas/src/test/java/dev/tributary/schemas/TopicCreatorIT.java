package dev.tributary.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.stack.LocalBroker;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TopicCreatorIT {

    private static final List<Topic> ALL = Arrays.asList(Topic.values());

    @Test
    void aBrokerIsBroughtInLineWithTheCatalogue(@TempDir Path folder) throws Exception {
        try (LocalBroker broker = LocalBroker.in(folder).start();
                Admin admin = broker.admin()) {
            TopicCreator creator = new TopicCreator(admin);

            assertThat(creator.create(ALL)).containsExactlyInAnyOrderElementsOf(ALL);
            assertThat(creator.create(ALL)).isEmpty();
            for (Topic topic : ALL) {
                Config config = configOf(admin, topic);
                for (Map.Entry<String, String> setting : topic.retention().settings().entrySet()) {
                    assertThat(config.get(setting.getKey()).value())
                            .as("%s of %s", setting.getKey(), topic)
                            .isEqualTo(setting.getValue());
                }
            }
        }
    }

    @Test
    void otherNumbersOfPartitionsAreRefusedAllAtOnceAndNothingIsCreated(@TempDir Path folder)
            throws Exception {
        try (LocalBroker broker = LocalBroker.in(folder).start();
                Admin admin = broker.admin()) {
            admin.createTopics(List.of(topic(Topic.POOL_EVENTS, 1), topic(Topic.ALERTS, 7)))
                    .all()
                    .get();

            assertThatThrownBy(() -> new TopicCreator(admin).create(ALL))
                    .isInstanceOfSatisfying(
                            ContractBrokenException.class, e -> assertThat(e.faults()).hasSize(2))
                    .hasMessageContaining("[tributary.pool-events] has 1 partitions, expected 6:")
                    .hasMessageContaining("[tributary.alerts] has 7 partitions, expected 6:");
            assertThat(admin.listTopics().names().get()).hasSize(2);
        }
    }

    @Test
    void severalProgramsMayCreateTheTopicsAtTheSameTime(@TempDir Path folder) throws Exception {
        try (LocalBroker broker = LocalBroker.in(folder).start();
                Admin admin = broker.admin();
                ExecutorService programs = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<List<Topic>> program = () -> new TopicCreator(admin).create(ALL);

            List<Topic> created = new ArrayList<>();
            for (Future<List<Topic>> result : programs.invokeAll(Collections.nCopies(6, program))) {
                created.addAll(result.get());
            }

            assertThat(created).containsExactlyInAnyOrderElementsOf(ALL);
        }
    }

    private static NewTopic topic(Topic topic, int partitions) {
        return new NewTopic(topic.topicName(), Optional.of(partitions), Optional.empty());
    }

    private static Config configOf(Admin admin, Topic topic) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.topicName());
        return admin.describeConfigs(List.of(resource)).all().get().values().iterator().next();
    }
}
