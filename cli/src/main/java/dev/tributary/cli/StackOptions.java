package dev.tributary.cli;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options by which a command finds the Tributary it talks to: a data folder a local stack runs
/// on, or addresses of its own.
final class StackOptions {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = ".tributary",
            description =
                    "Data folder of the local stack (default: ${DEFAULT-VALUE}); its running stack is"
                            + " used unless addresses are given.")
    Path data = Path.of(".tributary");

    @Option(
            names = "--bootstrap-servers",
            paramLabel = "HOST:PORT",
            defaultValue = "${env:KAFKA_BOOTSTRAP_SERVERS}",
            description = "Kafka broker (or KAFKA_BOOTSTRAP_SERVERS).")
    @Nullable String bootstrapServers;

    @Option(
            names = "--schema-registry",
            paramLabel = "URL",
            defaultValue = "${env:SCHEMA_REGISTRY_URL}",
            description = "Schema registry (or SCHEMA_REGISTRY_URL).")
    @Nullable String schemaRegistry;

    @Option(
            names = "--store",
            paramLabel = "DIR",
            defaultValue = "${env:TRIBUTARY_STORE}",
            description = "Folder of the artifact store (or TRIBUTARY_STORE).")
    @Nullable Path store;

    /// The connection these options say, or [dev.tributary.cli.UnreachableException].
    Connection connection() {
        Optional<Connection> local = Connection.of(data);
        if (bootstrapServers == null && local.isPresent()) {
            return local.get();
        }
        if (bootstrapServers == null || schemaRegistry == null || store == null) {
            throw new UnreachableException(
                    "[%s] no local stack runs on this data folder: start one with `tributary up --data %s`, or give --bootstrap-servers, --schema-registry and --store"
                            .formatted(data, data));
        }
        return new Connection(bootstrapServers, schemaRegistry, store, null, null, 0);
    }
}
