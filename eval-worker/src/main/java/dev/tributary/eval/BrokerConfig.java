package dev.tributary.eval;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithName;
import io.smallrye.config.WithParentName;
import java.util.Map;

/// How the broker is reached, under the names Kafka's own clients have for it, each behind
/// `kafka.`.
@ConfigMapping(prefix = "kafka")
public interface BrokerConfig {

    /// Brokers to ask first, separated by commas.
    @WithName("bootstrap.servers")
    @WithDefault("localhost:9092")
    String bootstrapServers();

    /// Every setting behind `kafka.`, such as `security.protocol`, `sasl.jaas.config` or
    /// `ssl.truststore.location`: all consumers, producers and admin clients get them.
    @WithParentName
    Map<String, String> all();
}
