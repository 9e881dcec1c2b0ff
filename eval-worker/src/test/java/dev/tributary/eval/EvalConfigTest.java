package dev.tributary.eval;

import static org.assertj.core.api.Assertions.assertThat;

import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class EvalConfigTest {

    @Test
    void everySettingHasADefault() {
        EvalConfig config = read(EvalConfig.class, Map.of());

        assertThat(config.store()).isEqualTo(Path.of(".tributary/store"));
        assertThat(config.cache()).isEqualTo(Path.of(".tributary/cache"));
        assertThat(config.threads()).isEmpty();
        assertThat(config.eval().state()).isEqualTo(Path.of(".tributary/cache/eval-worker-8080"));
        assertThat(config.eval().drain()).isEqualTo(Duration.ofMinutes(2));
        assertThat(config.eval().maxAttempts()).isEqualTo(3);
        assertThat(config.eval().maxCrashes()).isEqualTo(3);
        assertThat(config.eval().retryFirstDelay()).isEqualTo(Duration.ofSeconds(1));
        assertThat(config.eval().retryMaxDelay()).isEqualTo(Duration.ofMinutes(1));
        assertThat(config.eval().probeInterval()).isEqualTo(Duration.ofSeconds(5));
        assertThat(config.eval().significanceLevel()).isEqualTo(0.01);
        assertThat(config.eval().toleratedDrop()).isEqualTo(0.02);
        assertThat(config.eval().largestDetectableDrop()).isEqualTo(0.15);
        assertThat(read(BrokerConfig.class, Map.of()).bootstrapServers())
                .isEqualTo("localhost:9092");
        assertThat(read(RegistryConfig.class, Map.of()).url()).isEqualTo("http://localhost:8081");
        assertThat(SettingsCheck.faults(config)).isEmpty();
    }

    @Test
    void everySettingCanBeChanged() {
        EvalConfig config =
                read(
                        EvalConfig.class,
                        Map.ofEntries(
                                Map.entry("tributary.store", "/models"),
                                Map.entry("tributary.cache", "/scratch"),
                                Map.entry("tributary.threads", "7"),
                                Map.entry("tributary.device", "cuda:1"),
                                Map.entry("tributary.eval.state", "/notes"),
                                Map.entry("tributary.eval.drain", "90s"),
                                Map.entry("tributary.eval.max-attempts", "5"),
                                Map.entry("tributary.eval.max-crashes", "6"),
                                Map.entry("tributary.eval.retry-first-delay", "250ms"),
                                Map.entry("tributary.eval.retry-max-delay", "30s"),
                                Map.entry("tributary.eval.probe-interval", "2s"),
                                Map.entry("tributary.eval.significance-level", "0.05"),
                                Map.entry("tributary.eval.tolerated-drop", "0.03"),
                                Map.entry("tributary.eval.largest-detectable-drop", "0.2"),
                                Map.entry("tributary.merge.concurrent", "2")));

        assertThat(config.store()).isEqualTo(Path.of("/models"));
        assertThat(config.cache()).isEqualTo(Path.of("/scratch"));
        assertThat(config.threads()).isEqualTo(OptionalInt.of(7));
        assertThat(config.device()).isEqualTo("cuda:1");
        assertThat(config.eval().state()).isEqualTo(Path.of("/notes"));
        assertThat(config.eval().drain()).isEqualTo(Duration.ofSeconds(90));
        assertThat(config.eval().maxAttempts()).isEqualTo(5);
        assertThat(config.eval().maxCrashes()).isEqualTo(6);
        assertThat(config.eval().retryFirstDelay()).isEqualTo(Duration.ofMillis(250));
        assertThat(config.eval().retryMaxDelay()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.eval().probeInterval()).isEqualTo(Duration.ofSeconds(2));
        assertThat(config.eval().significanceLevel()).isEqualTo(0.05);
        assertThat(config.eval().toleratedDrop()).isEqualTo(0.03);
        assertThat(config.eval().largestDetectableDrop()).isEqualTo(0.2);
        assertThat(SettingsCheck.faults(config)).isEmpty();
    }

    @Test
    void workersOnOneMachineKeepTheirNotesApart() {
        EvalConfig config =
                read(
                        EvalConfig.class,
                        Map.of("quarkus.http.port", "9001", "tributary.cache", "/scratch"));

        assertThat(config.eval().state()).isEqualTo(Path.of("/scratch/eval-worker-9001"));
    }

    @Test
    void securitySettingsOfTheClientsArePassedOn() {
        BrokerConfig broker =
                read(
                        BrokerConfig.class,
                        Map.of(
                                "kafka.bootstrap.servers", "broker:9093",
                                "kafka.security.protocol", "SSL"));
        RegistryConfig registry =
                read(
                        RegistryConfig.class,
                        Map.of(
                                "schema.registry.url", "https://registry",
                                "schema.registry.basic.auth.user.info", "me:secret"));

        assertThat(broker.bootstrapServers()).isEqualTo("broker:9093");
        assertThat(broker.all()).containsEntry("security.protocol", "SSL");
        assertThat(registry.url()).isEqualTo("https://registry");
        assertThat(registry.all()).containsEntry("basic.auth.user.info", "me:secret");
    }

    @Test
    void settingsThatCannotWorkAreToldAllAtOnce() {
        EvalConfig config =
                read(
                        EvalConfig.class,
                        Map.of(
                                "tributary.threads", "0",
                                "tributary.eval.max-attempts", "0",
                                "tributary.eval.max-crashes", "0",
                                "tributary.eval.drain", "2d",
                                "tributary.eval.retry-first-delay", "-1s",
                                "tributary.eval.retry-max-delay", "0s",
                                "tributary.eval.probe-interval", "0s",
                                "tributary.eval.significance-level", "7"));

        assertThat(SettingsCheck.faults(config))
                .hasSize(8)
                .anyMatch(fault -> fault.startsWith("[tributary.eval.drain]"))
                .anyMatch(fault -> fault.contains("significance level 7.0"));
    }

    private static <T> T read(Class<T> mapping, Map<String, String> values) {
        return new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .addDefaultInterceptors()
                .withSources(new PropertiesConfigSource(values, "test", 100))
                .withMapping(mapping)
                .build()
                .getConfigMapping(mapping);
    }
}
