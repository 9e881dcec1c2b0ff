package dev.tributary.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Starts the local stack and holds it up until Ctrl-C.
@Command(
        name = "up",
        mixinStandardHelpOptions = true,
        description = {
            "Starts broker, schema registry, merge-worker and eval-worker on this machine and holds them up until"
                    + " Ctrl-C or `tributary down`.",
            "Data stay in the data folder: a restart carries on."
        },
        footerHeading = "%nExamples:%n",
        footer = {"  tributary up", "  tributary up --data /srv/tributary --broker-port 9092"})
final class UpCommand implements Callable<Integer> {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = ".tributary",
            description = "Where everything is kept (default: ${DEFAULT-VALUE}).")
    Path data = Path.of(".tributary");

    @Option(
            names = "--broker-port",
            paramLabel = "PORT",
            defaultValue = "0",
            description = "Port of the Kafka broker; 0 picks a free one (default: 0).")
    int brokerPort;

    @Option(
            names = "--registry-port",
            paramLabel = "PORT",
            defaultValue = "0",
            description = "Port of the schema registry; 0 picks a free one (default: 0).")
    int registryPort;

    @Option(
            names = "--merge-worker-port",
            paramLabel = "PORT",
            defaultValue = "0",
            description = "HTTP port of the merge-worker; 0 picks a free one (default: 0).")
    int mergeWorkerPort;

    @Option(
            names = "--eval-worker-port",
            paramLabel = "PORT",
            defaultValue = "0",
            description = "HTTP port of the eval-worker; 0 picks a free one (default: 0).")
    int evalWorkerPort;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "Threads a worker computes with; 0 = half the cores (default: 0).")
    int threads;

    @Override
    public Integer call() throws InterruptedException {
        Terminal terminal = Terminal.standard();
        CountDownLatch ended = new CountDownLatch(1);
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime()
                .addShutdownHook(
                        Thread.ofPlatform()
                                .unstarted(() -> {
                                    ended.countDown();
                                    awaitQuietly(stopped);
                                }));
        try (LocalTributary local =
                LocalTributary.start(
                        data,
                        new LocalTributary.Ports(
                                brokerPort, registryPort, mergeWorkerPort, evalWorkerPort),
                        threads(threads),
                        terminal)) {
            terminal.line(
                    "up, data in %s; Ctrl-C or `tributary down --data %s` stops it"
                            .formatted(data.toAbsolutePath().normalize(), data));
            local.connection();
            ended.await();
            terminal.line("stopping");
        } finally {
            stopped.countDown();
        }
        return 0;
    }

    static int threads(int wanted) {
        return wanted > 0 ? wanted : Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
