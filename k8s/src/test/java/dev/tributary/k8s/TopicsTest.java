package dev.tributary.k8s;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.schemas.Topic;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// The catalogue in the code is the truth; the manifests follow it.
class TopicsTest {
    @Test
    void theManifestsHoldTheCatalogue() {
        Map<String, String> written =
                Manifests.written().stream()
                        .filter(document -> document.get("kind").asText().equals("KafkaTopic"))
                        .collect(
                                Collectors.toMap(
                                        document -> document.at("/metadata/name").asText(),
                                        document -> summary(document.get("spec")),
                                        (a, b) -> a + b,
                                        TreeMap::new));
        Map<String, String> catalogue =
                Arrays.stream(Topic.values())
                        .collect(
                                Collectors.toMap(
                                        Topic::topicName,
                                        TopicsTest::summary,
                                        (a, b) -> a + b,
                                        TreeMap::new));
        assertThat(written).isEqualTo(catalogue);
    }

    @Test
    void aScalerNeverAsksForMoreReplicasThanItsTopicHasPartitions() {
        for (JsonNode document : Manifests.written()) {
            if (document.get("kind").asText().equals("ScaledObject")) {
                String topic = document.at("/spec/triggers/0/metadata/topic").asText();
                int partitions =
                        Arrays.stream(Topic.values())
                                .filter(known -> known.topicName().equals(topic))
                                .findFirst()
                                .orElseThrow(() -> new AssertionError("no topic " + topic))
                                .partitions();
                assertThat(document.at("/spec/maxReplicaCount").asInt()).isEqualTo(partitions);
            }
        }
    }

    private static String summary(JsonNode spec) {
        Map<String, String> config = new TreeMap<>();
        spec.get("config")
                .properties()
                .forEach(entry -> config.put(entry.getKey(), entry.getValue().asText()));
        config.remove("min.insync.replicas");
        return spec.get("partitions").asInt() + " " + config;
    }

    private static String summary(Topic topic) {
        return topic.partitions() + " " + new TreeMap<>(topic.retention().settings());
    }
}
