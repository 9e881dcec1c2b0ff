package dev.tributary.stack;

import java.nio.file.Path;
import java.util.Map;

/// Broker and registry together, with everything they keep in one folder.
public final class LocalStack implements AutoCloseable {

    private final LocalBroker broker;
    private final LocalRegistry registry;

    private LocalStack(LocalBroker broker, LocalRegistry registry) {
        this.broker = broker;
        this.registry = registry;
    }

    /// A stack with its data in this folder, at free ports.
    public static LocalStack start(Path folder) {
        return start(LocalBroker.in(folder), LocalRegistry.in(folder));
    }

    /// A stack with its data in this folder, at these ports.
    public static LocalStack start(Path folder, int brokerPort, int registryPort) {
        return start(LocalBroker.in(folder, brokerPort), LocalRegistry.in(folder, registryPort));
    }

    /// Starts both at the same time and waits until both answer; when one fails, the other is
    /// stopped.
    public static LocalStack start(LocalBroker broker, LocalRegistry registry) {
        LocalStack stack = new LocalStack(broker, registry);
        try {
            broker.launch();
            registry.launch();
            broker.awaitReady();
            registry.awaitReady();
            return stack;
        } catch (RuntimeException e) {
            stack.close();
            throw e;
        }
    }

    /// The broker.
    public LocalBroker broker() {
        return broker;
    }

    /// The registry.
    public LocalRegistry registry() {
        return registry;
    }

    /// Where Kafka clients connect.
    public String bootstrapServers() {
        return broker.bootstrapServers();
    }

    /// Where serializers find schemas.
    public String registryUrl() {
        return registry.url();
    }

    /// The settings a Kafka client needs to use both.
    public Map<String, Object> clientSettings() {
        return Map.of(
                "bootstrap.servers", bootstrapServers(), "schema.registry.url", registryUrl());
    }

    /// Shuts both down, the registry first.
    @Override
    public void close() {
        try {
            registry.close();
        } finally {
            broker.close();
        }
    }
}
