package dev.tributary.schemas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.stack.LocalStack;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecordBase;
import org.assertj.core.api.ThrowingConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Confluent's own JavaScript client reads our bytes. Runs where `node` and `npm` are on the path
/// and npm can fetch packages; says so and steps aside elsewhere.
@ExtendWith(RealStack.class)
class JavaScriptClientIT {

    private static final String CLIENT = "@confluentinc/schemaregistry@1.10.1";
    private static final Path FOLDER = Path.of("target", "javascript").toAbsolutePath();

    @Test
    void decodesEveryKindOfEvent(LocalStack stack) throws Exception {
        installClient();
        List<SpecificRecordBase> events = EventSamples.ofPool(2, 3);
        Path input = Files.createTempFile(FOLDER, "records", ".txt");
        try (AvroWireSerializer serializer =
                new AvroWireSerializer(RegistryConnection.open(stack.clientSettings()))) {
            Files.write(input, events.stream().map(event -> line(serializer, event)).toList());
        }

        String output = decoded(input, stack.registryUrl());

        List<JsonNode> decoded = output.lines().map(JavaScriptClientIT::json).toList();
        assertThat(decoded).hasSameSizeAs(events);
        for (int i = 0; i < decoded.size(); i++) {
            List<Schema.Field> fields = events.get(i).getSchema().getFields();
            assertThat(fields).allSatisfy(has(decoded.get(i)));
        }
        JsonNode checkpoint = decoded.get(1).findParent("baseDigest");
        assertThat(checkpoint.get("task").asText()).isEqualTo("sentiment");
        assertThat(checkpoint.get("publishedAt").asLong())
                .isEqualTo(EventSamples.TIME.toEpochMilli());
        assertThat(checkpoint.get("checkpoint").get("bytes").asLong()).isEqualTo(91_234_567L);
    }

    private static ThrowingConsumer<Schema.Field> has(JsonNode record) {
        return field -> assertThat(record.findParent(field.name())).isNotNull();
    }

    private static String line(AvroWireSerializer serializer, SpecificRecordBase event) {
        String topic =
                Topic.ofEvents().stream()
                        .filter(it -> it.recordTypes().contains(event.getClass()))
                        .map(Topic::topicName)
                        .findFirst()
                        .orElseThrow();
        return topic + " " + HexFormat.of().formatHex(serializer.serialize(topic, event));
    }

    private static void installClient() throws Exception {
        assumeTrue(onPath("node") && onPath("npm"), "node and npm are not on the path");
        Files.createDirectories(FOLDER);
        Files.copy(
                Path.of("src", "test", "resources", "decode.mjs"),
                FOLDER.resolve("decode.mjs"),
                StandardCopyOption.REPLACE_EXISTING);
        Path installed = FOLDER.resolve("node_modules/@confluentinc/schemaregistry/package.json");
        if (!Files.exists(installed)) {
            try {
                String _ =
                        run(
                                3,
                                null,
                                "npm",
                                "install",
                                "--no-save",
                                "--no-package-lock",
                                "--ignore-scripts",
                                "--no-audit",
                                "--no-fund",
                                "--prefix",
                                FOLDER.toString(),
                                CLIENT);
            } catch (IllegalStateException | TimeoutException e) {
                assumeTrue(false, "npm could not fetch " + CLIENT + ": " + e.getMessage());
            }
        }
    }

    /// The registry leaves a request unanswered once in a while, and this client waits for ever:
    /// then it is asked anew.
    private static String decoded(Path input, String registry) throws Exception {
        try {
            return run(1, input, "node", "decode.mjs", registry);
        } catch (TimeoutException _) {
            return run(1, input, "node", "decode.mjs", registry);
        }
    }

    private static boolean onPath(String program) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    private static String run(
            int minutes, @org.jspecify.annotations.Nullable Path input, String... command)
            throws IOException, InterruptedException, TimeoutException {
        Path output = Files.createTempFile(FOLDER, "output", ".txt");
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .directory(FOLDER.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile());
        if (input != null) {
            builder.redirectInput(input.toFile());
        }
        Process process = builder.start();
        if (!process.waitFor(minutes, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new TimeoutException(
                    "%s did not end: %s"
                            .formatted(Arrays.toString(command), Files.readString(output)));
        }
        if (process.exitValue() != 0) {
            throw new IllegalStateException(
                    "%s failed: %s".formatted(Arrays.toString(command), Files.readString(output)));
        }
        return Files.readString(output, UTF_8);
    }

    private static JsonNode json(String line) {
        try {
            return new ObjectMapper().readTree(line);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(line, e);
        }
    }
}
