package dev.tributary.stack;

import java.io.IOException;
import java.io.Reader;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;

/// The broker's own process: formats the data folder the first time and runs Kafka in KRaft mode,
/// broker and controller in one, until it is asked to end.
///
/// Runs in the child only, on the class path of the folder `broker`.
final class BrokerMain {

    private BrokerMain() {}

    /// Runs the broker whose settings are in the file named by the first argument.
    public static void main(String[] arguments) throws Exception {
        Properties settings = new Properties();
        try (Reader file = Files.newBufferedReader(Path.of(arguments[0]))) {
            settings.load(file);
        }
        Path data = Path.of(settings.getProperty("log.dirs"));
        FileChannel lockFile = lockOrExit(data);
        formatOnce(settings);
        KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(settings), Time.SYSTEM);
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> shutdown(server)));
        server.startup();
        server.awaitShutdown();
        lockFile.close();
    }

    /// Kafka reads and writes its metadata log before it takes its own lock, so two brokers on one
    /// folder would spoil it.
    private static FileChannel lockOrExit(Path data) throws IOException {
        Files.createDirectories(data.toAbsolutePath().getParent());
        FileChannel file =
                FileChannel.open(
                        data.resolveSibling("broker.lock"),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
        if (file.tryLock() == null) {
            System.err.printf(
                    "[%s] another broker is running on this folder, expected none: stop it first, or choose another folder%n",
                    data);
            System.exit(1);
        }
        return file;
    }

    private static void shutdown(KafkaRaftServer server) {
        server.shutdown();
        server.awaitShutdown();
    }

    private static void formatOnce(Properties settings) throws Exception {
        Path data = Path.of(settings.getProperty("log.dirs"));
        if (Files.exists(data.resolve("meta.properties"))) {
            return;
        }
        Files.createDirectories(data);
        new Formatter()
                .setNodeId(Integer.parseInt(settings.getProperty("node.id")))
                .setClusterId(Uuid.randomUuid().toString())
                .setReleaseVersion(MetadataVersion.latestProduction())
                .setControllerListenerName(settings.getProperty("controller.listener.names"))
                .setMetadataLogDirectory(data.toString())
                .addDirectory(data.toString())
                .run();
    }
}
