package dev.tributary.merge;

import static org.assertj.core.api.Assertions.assertThat;

import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class MergeConfigTest {
    @Test
    void everySettingHasADefault() {
        MergeConfig config = read(MergeConfig.class, Map.of());

        assertThat(config.store()).isEqualTo(Path.of(".tributary/store"));
        assertThat(config.cache()).isEqualTo(Path.of(".tributary/cache"));
        assertThat(config.threads()).isEmpty();
        assertThat(config.merge().concurrent()).isEqualTo(1);
        assertThat(config.merge().drain()).isEqualTo(Duration.ofMinutes(10));
        assertThat(config.merge().maxAttempts()).isEqualTo(3);
        assertThat(config.merge().maxCrashes()).isEqualTo(3);
        assertThat(config.merge().retryFirstDelay()).isEqualTo(Duration.ofSeconds(1));
        assertThat(config.merge().retryMaxDelay()).isEqualTo(Duration.ofMinutes(5));
        assertThat(config.merge().maxWaitingRecords()).isEqualTo(500);
        assertThat(config.merge().probeInterval()).isEqualTo(Duration.ofSeconds(5));
        assertThat(read(BrokerConfig.class, Map.of()).bootstrapServers())
                .isEqualTo("localhost:9092");
        assertThat(read(RegistryConfig.class, Map.of()).url()).isEqualTo("http://localhost:8081");
        assertThat(SettingsCheck.faults(config)).isEmpty();
    }

    @Test
    void everySettingCanBeChanged() {
        MergeConfig config =
                read(
                        MergeConfig.class,
                        Map.ofEntries(
                                Map.entry("tributary.store", "/models"),
                                Map.entry("tributary.cache", "/scratch"),
                                Map.entry("tributary.threads", "7"),
                                Map.entry("tributary.device", "cuda:1"),
                                Map.entry("tributary.merge.concurrent", "2"),
                                Map.entry("tributary.merge.drain", "90s"),
                                Map.entry("tributary.merge.max-attempts", "5"),
                                Map.entry("tributary.merge.max-crashes", "6"),
                                Map.entry("tributary.merge.retry-first-delay", "250ms"),
                                Map.entry("tributary.merge.retry-max-delay", "1m"),
                                Map.entry("tributary.merge.max-waiting-records", "50"),
                                Map.entry("tributary.merge.probe-interval", "2s")));

        assertThat(config.store()).isEqualTo(Path.of("/models"));
        assertThat(config.cache()).isEqualTo(Path.of("/scratch"));
        assertThat(config.threads()).isEqualTo(OptionalInt.of(7));
        assertThat(config.device()).isEqualTo("cuda:1");
        assertThat(config.merge().concurrent()).isEqualTo(2);
        assertThat(config.merge().drain()).isEqualTo(Duration.ofSeconds(90));
        assertThat(config.merge().maxAttempts()).isEqualTo(5);
        assertThat(config.merge().maxCrashes()).isEqualTo(6);
        assertThat(config.merge().retryFirstDelay()).isEqualTo(Duration.ofMillis(250));
        assertThat(config.merge().retryMaxDelay()).isEqualTo(Duration.ofMinutes(1));
        assertThat(config.merge().maxWaitingRecords()).isEqualTo(50);
        assertThat(config.merge().probeInterval()).isEqualTo(Duration.ofSeconds(2));
    }

    @Test
    void securitySettingsOfTheClientsArePassedOn() {
        BrokerConfig broker =
                read(
                        BrokerConfig.class,
                        Map.of(
                                "kafka.bootstrap.servers", "broker:9093",
                                "kafka.security.protocol", "SSL",
                                "kafka.ssl.truststore.location", "/trust"));
        RegistryConfig registry =
                read(
                        RegistryConfig.class,
                        Map.of(
                                "schema.registry.url", "https://registry",
                                "schema.registry.basic.auth.user.info", "me:secret"));

        assertThat(broker.bootstrapServers()).isEqualTo("broker:9093");
        assertThat(broker.all())
                .containsEntry("security.protocol", "SSL")
                .containsEntry("ssl.truststore.location", "/trust");
        assertThat(registry.url()).isEqualTo("https://registry");
        assertThat(registry.all()).containsEntry("basic.auth.user.info", "me:secret");
    }

    @Test
    void settingsThatCannotWorkAreToldAllAtOnce() {
        MergeConfig config =
                read(
                        MergeConfig.class,
                        Map.of(
                                "tributary.threads", "0",
                                "tributary.merge.concurrent", "0",
                                "tributary.merge.drain", "2d",
                                "tributary.merge.retry-max-delay", "0s"));

        assertThat(SettingsCheck.faults(config))
                .hasSize(4)
                .anyMatch(fault -> fault.startsWith("[tributary.merge.drain]"));
    }

    private static <T> T read(Class<T> mapping, Map<String, String> values) {
        return new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .withSources(new PropertiesConfigSource(values, "test", 100))
                .withMapping(mapping)
                .build()
                .getConfigMapping(mapping);
    }
}
