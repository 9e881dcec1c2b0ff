package dev.tributary.eval;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithParentName;
import java.util.Map;

/// How the schema registry is reached, under the names Confluent's client has for it.
@ConfigMapping(prefix = "schema.registry")
public interface RegistryConfig {

    /// One or several addresses of its Confluent-compatible API, separated by commas.
    @WithDefault("http://localhost:8081")
    String url();

    /// Every setting behind `schema.registry.`, such as `basic.auth.user.info` or
    /// `ssl.truststore.location`.
    @WithParentName
    Map<String, String> all();
}
