package dev.tributary.k8s;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.schemas.ConsumerGroup;
import dev.tributary.schemas.Topic;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ManifestsTest {
    private static final Set<String> CORE = Set.of("v1", "apps/v1");

    @Test
    void noKeyIsUnknownToKubernetes() throws IOException, InterruptedException {
        List<String> unknown = new ArrayList<>();
        KubernetesSerialization kubernetes = new KubernetesSerialization();
        for (JsonNode document : renderedOrWritten()) {
            if (CORE.contains(document.get("apiVersion").asText())) {
                HasMetadata resource = kubernetes.unmarshal(document.toString(), HasMetadata.class);
                collectUnknown(resource, resource.getKind(), unknown);
            }
        }
        assertThat(unknown).isEmpty();
    }

    @Test
    void aMisspeltKeyIsFound() {
        List<String> unknown = new ArrayList<>();
        HasMetadata resource =
                new KubernetesSerialization()
                        .unmarshal(
                                "{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"spec\":{\"selectr\":{}}}",
                                HasMetadata.class);
        collectUnknown(resource, "Service", unknown);
        assertThat(unknown).containsExactly("Service.spec: selectr");
    }

    @ParameterizedTest
    @ValueSource(strings = {"merge-worker", "eval-worker"})
    void podsKeepTheRestrictedStandard(String worker) {
        JsonNode pod =
                Manifests.one(Manifests.written(), "Deployment", worker).at("/spec/template/spec");
        assertThat(pod.at("/securityContext/runAsNonRoot").asBoolean()).isTrue();
        assertThat(pod.at("/securityContext/seccompProfile/type").asText())
                .isEqualTo("RuntimeDefault");
        assertThat(pod.path("automountServiceAccountToken").asBoolean(true)).isFalse();
        JsonNode container = pod.at("/containers/0/securityContext");
        assertThat(container.path("allowPrivilegeEscalation").asBoolean(true)).isFalse();
        assertThat(container.path("readOnlyRootFilesystem").asBoolean()).isTrue();
        assertThat(container.at("/capabilities/drop/0").asText()).isEqualTo("ALL");
    }

    @ParameterizedTest
    @ValueSource(strings = {"merge-worker", "eval-worker"})
    void theScalerNeverTakesABusyPartitionForAStuckOne(String worker) {
        JsonNode scaled = Manifests.one(Manifests.written(), "ScaledObject", worker);
        JsonNode trigger = scaled.at("/spec/triggers/0/metadata");
        assertThat(trigger.get("excludePersistentLag").asText()).isEqualTo("false");
        assertThat(trigger.get("allowIdleConsumers").asText()).isEqualTo("true");
        assertThat(scaled.at("/spec/scaleTargetRef/name").asText()).isEqualTo(worker);
        assertThat(scaled.at("/spec/fallback/replicas").asInt()).isPositive();
    }

    @ParameterizedTest
    @CsvSource({
        "merge-worker, MERGE_WORKERS, POOL_EVENTS",
        "eval-worker, EVALUATION_TASKS, EVALUATION_REQUESTS"
    })
    void theScalerLooksAtTheLagOfTheWorkersOwnGroup(
            String worker, ConsumerGroup group, Topic topic) {
        JsonNode trigger =
                Manifests.one(Manifests.written(), "ScaledObject", worker)
                        .at("/spec/triggers/0/metadata");
        assertThat(trigger.get("consumerGroup").asText()).isEqualTo(group.groupId());
        assertThat(trigger.get("topic").asText()).isEqualTo(topic.topicName());
    }

    @ParameterizedTest
    @ValueSource(strings = {"merge-worker", "eval-worker"})
    void theReplicaCountIsLeftToTheScaler(String worker) {
        JsonNode deployment = Manifests.one(Manifests.written(), "Deployment", worker);
        assertThat(deployment.at("/spec/replicas").isMissingNode()).isTrue();
    }

    private static List<JsonNode> renderedOrWritten() throws IOException, InterruptedException {
        Files.createDirectories(Path.of("target"));
        return Manifests.rendered().map(Manifests::read).orElseGet(Manifests::written);
    }

    /// Walks a typed resource and names each key that landed in `additionalProperties`: a key the
    /// model of this kind does not know.
    private static void collectUnknown(Object value, String path, List<String> unknown) {
        if (value instanceof Collection<?> items) {
            items.forEach(item -> collectUnknown(item, path, unknown));
            return;
        }
        if (!value.getClass().getName().startsWith("io.fabric8.kubernetes.api.model")
                || value instanceof Enum<?>) {
            return;
        }
        for (var method : value.getClass().getMethods()) {
            if (!method.getName().startsWith("get") || method.getParameterCount() != 0) {
                continue;
            }
            try {
                Object child = method.invoke(value);
                if (method.getName().equals("getAdditionalProperties")) {
                    ((Map<?, ?>) child).keySet().forEach(key -> unknown.add(path + ": " + key));
                } else if (child != null) {
                    String field = method.getName().substring(3);
                    collectUnknown(
                            child,
                            path
                                    + "."
                                    + Character.toLowerCase(field.charAt(0))
                                    + field.substring(1),
                            unknown);
                }
            } catch (IllegalAccessException | InvocationTargetException e) {
                throw new LinkageError("cannot read " + method, e);
            }
        }
    }
}
