package dev.tributary.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.schemas.RegistryConnection;
import dev.tributary.schemas.Topic;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.FeatureMetadata;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Looks at everything Tributary needs and says what is wrong and what to do.
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = "Checks this machine and, when a stack is up, each of its parts.",
        footerHeading = "%nExamples:%n",
        footer = {"  tributary doctor", "  tributary doctor -o json"})
final class DoctorCommand implements Callable<Integer> {
    private static final long ROOM = 4L << 30;
    private static final int TIMEOUT_MILLIS = 8000;

    @Mixin StackOptions stack = new StackOptions();
    @Mixin OutputOption output = new OutputOption();

    private final List<Finding> findings = new ArrayList<>();

    /// One thing that was looked at.
    ///
    /// @param what was looked at
    /// @param good whether it is as it should be
    /// @param sentence what was found and, when it is not good, what to do
    record Finding(String what, boolean good, String sentence) {}

    @Override
    public Integer call() {
        look("jdk", this::jdk);
        look("disk", this::disk);
        look("build", this::build);
        Optional<Connection> connection = connection();
        if (connection.isPresent()) {
            look("broker", () -> broker(connection.get()));
            look("topics", () -> topics(connection.get()));
            look("registry", () -> registry(connection.get()));
            look("merge-worker", () -> worker(connection.get().mergeWorker()));
            look("eval-worker", () -> worker(connection.get().evalWorker()));
        } else {
            findings.add(
                    new Finding(
                            "stack",
                            true,
                            "no stack runs on %s; `tributary up` starts one"
                                    .formatted(stack.data)));
        }
        print();
        return findings.stream().allMatch(Finding::good) ? 0 : 1;
    }

    private void look(String what, Callable<String> check) {
        try {
            findings.add(new Finding(what, true, check.call()));
        } catch (Exception e) {
            String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            findings.add(new Finding(what, false, message));
        }
    }

    private String jdk() {
        int version = Runtime.version().feature();
        if (version < 25) {
            throw new UnreachableException("JDK %d, expected 25 or newer".formatted(version));
        }
        return "JDK %s, %d cores"
                .formatted(Runtime.version(), Runtime.getRuntime().availableProcessors());
    }

    private String disk() throws IOException {
        Path folder = stack.data.toAbsolutePath();
        while (Files.notExists(folder) && folder.getParent() != null) {
            folder = folder.getParent();
        }
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < ROOM) {
            throw new UnreachableException(
                    "%s free at %s, expected %s or more: free space or choose another --data"
                            .formatted(PlanCommand.bytes(free), folder, PlanCommand.bytes(ROOM)));
        }
        return "%s free at %s".formatted(PlanCommand.bytes(free), folder);
    }

    private String build() {
        for (String worker : List.of("merge-worker", "eval-worker")) {
            Path jar = Home.folder().resolve(worker).resolve("target/quarkus-app/quarkus-run.jar");
            if (!Files.isRegularFile(jar)) {
                throw new UnreachableException(
                        "%s is missing: run `./tributary build`".formatted(jar));
            }
        }
        return "both workers are built";
    }

    private Optional<Connection> connection() {
        try {
            return Optional.of(stack.connection());
        } catch (UnreachableException _) {
            return Optional.empty();
        }
    }

    private String broker(Connection to) throws ExecutionException, InterruptedException {
        try (Admin admin = admin(to)) {
            FeatureMetadata features = admin.describeFeatures().featureMetadata().get();
            var transactions = features.finalizedFeatures().get("transaction.version");
            if (transactions == null || transactions.maxVersionLevel() < 2) {
                throw new UnreachableException(
                        "[%s] transaction.version is below 2: upgrade the broker to 4.0 or newer and finalize its features"
                                .formatted(to.bootstrapServers()));
            }
            return "%s answers, cluster %s"
                    .formatted(to.bootstrapServers(), admin.describeCluster().clusterId().get());
        }
    }

    private String topics(Connection to) throws ExecutionException, InterruptedException {
        try (Admin admin = admin(to)) {
            Set<String> missing = new TreeSet<>();
            Set<String> there = admin.listTopics().names().get();
            for (Topic topic : Topic.values()) {
                if (!there.contains(topic.topicName())) {
                    missing.add(topic.topicName());
                }
            }
            if (!missing.isEmpty()) {
                throw new UnreachableException(
                        "missing topics %s: a worker creates them when it starts"
                                .formatted(missing));
            }
            return "all %d topics are there".formatted(Topic.values().length);
        }
    }

    private String registry(Connection to) throws Exception {
        try (var registry =
                RegistryConnection.open(Map.of(RegistryConnection.URL, to.registryUrl()))) {
            int subjects = registry.getAllSubjects().size();
            return "%s answers, %d subjects".formatted(to.registryUrl(), subjects);
        }
    }

    private String worker(@org.jspecify.annotations.Nullable URI worker) throws Exception {
        if (worker == null) {
            return "not run by this stack";
        }
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> answer =
                    client.send(
                            HttpRequest.newBuilder(worker.resolve("/q/health/ready"))
                                    .timeout(Duration.ofSeconds(5))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new UnreachableException(
                        "[%s] not ready: %s"
                                .formatted(worker, answer.body().replaceAll("\\s+", " ")));
            }
            return "%s is ready".formatted(worker);
        }
    }

    private static Admin admin(Connection to) {
        return Admin.create(
                Map.of(
                        AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, to.bootstrapServers(),
                        AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, TIMEOUT_MILLIS,
                        AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, TIMEOUT_MILLIS));
    }

    private void print() {
        if (output.json()) {
            ArrayNode array = JsonNodeFactory.instance.arrayNode();
            for (Finding finding : findings) {
                ObjectNode json = array.addObject();
                json.put("what", finding.what());
                json.put("good", finding.good());
                json.put("sentence", finding.sentence());
            }
            System.out.println(OutputOption.pretty(array));
            return;
        }
        Terminal terminal = Terminal.standard();
        for (Finding finding : findings) {
            String mark = finding.good() ? "good" : "BAD ";
            terminal.line(
                    "  %s  %-12s  %s"
                            .formatted(
                                    terminal.coloured(mark, finding.good()),
                                    finding.what(),
                                    finding.sentence()));
        }
    }
}
