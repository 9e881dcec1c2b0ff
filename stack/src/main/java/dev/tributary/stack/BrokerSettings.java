package dev.tributary.stack;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// The settings of a broker that is alone on a small machine: one copy of everything, few
/// partitions of internal topics, and failures noticed in seconds instead of a minute.
final class BrokerSettings {

    private BrokerSettings() {}

    static Map<String, String> of(Path data, int port, int controllerPort) {
        Map<String, String> settings = new LinkedHashMap<>();
        settings.putAll(identity(data, port, controllerPort));
        settings.putAll(oneCopy());
        settings.putAll(fastDetection());
        settings.putAll(smallFootprint());
        return settings;
    }

    private static Map<String, String> identity(Path data, int port, int controllerPort) {
        return Map.of(
                "process.roles", "broker,controller",
                "node.id", "1",
                "controller.quorum.voters", "1@127.0.0.1:" + controllerPort,
                "controller.listener.names", "CONTROLLER",
                "listeners",
                        "PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d"
                                .formatted(port, controllerPort),
                "advertised.listeners", "PLAINTEXT://127.0.0.1:" + port,
                "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "log.dirs", data.toString(),
                // Topics are made by the catalogue, never by a misspelt name.
                "auto.create.topics.enable", "false");
    }

    private static Map<String, String> oneCopy() {
        return Map.of(
                "default.replication.factor", "1",
                "min.insync.replicas", "1",
                "offsets.topic.replication.factor", "1",
                "offsets.topic.num.partitions", "4",
                "transaction.state.log.replication.factor", "1",
                "transaction.state.log.min.isr", "1",
                "transaction.state.log.num.partitions", "4",
                "share.coordinator.state.topic.replication.factor", "1",
                "share.coordinator.state.topic.min.isr", "1",
                "share.coordinator.state.topic.num.partitions", "1");
    }

    /// A worker that died is noticed after six seconds, a broker that was killed is let in again
    /// after two.
    private static Map<String, String> fastDetection() {
        return Map.of(
                "group.initial.rebalance.delay.ms", "0",
                "group.min.session.timeout.ms", "3000",
                "group.consumer.min.session.timeout.ms", "3000",
                "group.consumer.session.timeout.ms", "6000",
                "group.consumer.min.heartbeat.interval.ms", "500",
                "group.consumer.heartbeat.interval.ms", "1000",
                "broker.session.timeout.ms", "2000",
                "broker.heartbeat.interval.ms", "400",
                "transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000");
    }

    private static Map<String, String> smallFootprint() {
        return Map.of(
                "num.network.threads", "2",
                "num.io.threads", "4",
                "background.threads", "2",
                "log.cleaner.dedupe.buffer.size", "2097152",
                "log.index.size.max.bytes", "1048576",
                "log.segment.bytes", "67108864");
    }
}
