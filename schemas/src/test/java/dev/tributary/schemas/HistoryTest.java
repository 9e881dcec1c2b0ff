package dev.tributary.schemas;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every schema that was ever released is kept beside this test, complete in one file, and never
/// edited: `history/<record or topic>/<version>.avsc`, with their digests in
/// `history/released.sha256` (`cd history && sha256sum */*.avsc > released.sha256`).
class HistoryTest {

    private static final Path HISTORY = Path.of("src", "test", "resources", "history");

    /// What is frozen: every topic's value schema under the topic's name, every record under its
    /// own.
    static Stream<String> names() {
        return today().keySet().stream();
    }

    private static Map<String, Schema> today() {
        Map<String, Schema> schemas = new TreeMap<>();
        for (Topic topic : Topic.ofEvents()) {
            Schema schema = topic.schema().registered();
            schemas.put(topic.topicName(), schema);
            addNamed(schema, schemas);
        }
        return schemas;
    }

    private static void addNamed(Schema schema, Map<String, Schema> found) {
        switch (schema.getType()) {
            case UNION -> schema.getTypes().forEach(type -> addNamed(type, found));
            case ARRAY -> addNamed(schema.getElementType(), found);
            case MAP -> addNamed(schema.getValueType(), found);
            case ENUM -> found.put(schema.getName(), schema);
            case RECORD -> {
                found.put(schema.getName(), schema);
                schema.getFields().forEach(field -> addNamed(field.schema(), found));
            }
            case STRING, BYTES, INT, LONG, FLOAT, DOUBLE, BOOLEAN, NULL, FIXED -> {}
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void theSchemaOfTodayIsTheNewestReleasedOne(String name) {
        Schema schema = requireNonNull(today().get(name));
        List<Schema> released = released(name);
        String next = "%s/%d.avsc".formatted(HISTORY.resolve(name), released.size() + 1);

        assertThat(released.isEmpty() ? "" : released.getLast().toString())
                .as("%s has changed: store it as %s and name the change in its doc", name, next)
                .isEqualTo(schema.toString());
    }

    @ParameterizedTest
    @MethodSource("names")
    void everyVersionReadsEveryOther(String name) {
        List<Schema> versions = released(name);
        for (Schema reader : versions) {
            for (Schema writer : versions) {
                assertThat(
                                SchemaCompatibility.checkReaderWriterCompatibility(reader, writer)
                                        .getType())
                        .as("%s: version %s reads version %s", name, reader, writer)
                        .isEqualTo(SchemaCompatibilityType.COMPATIBLE);
            }
        }
        assertThat(versions).isNotEmpty();
    }

    @ParameterizedTest
    @MethodSource("names")
    void theDocumentationNamesEveryVersion(String name) {
        Schema schema = requireNonNull(today().get(name));
        List<Schema> named = schema.isUnion() ? schema.getTypes() : List.of(schema);
        for (Schema type : named) {
            String history = type.getDoc().substring(type.getDoc().indexOf("History: ") + 8);
            int versions = released(type.getName()).size();
            assertThat(IntStream.rangeClosed(1, versions).mapToObj(" %d "::formatted))
                    .as(type.getName())
                    .allMatch(history::contains);
        }
    }

    @Test
    void nothingReleasedWasEditedOrRemoved() throws IOException {
        Map<String, String> digests =
                Files.readAllLines(HISTORY.resolve("released.sha256")).stream()
                        .map(line -> line.split(" {2}"))
                        .collect(Collectors.toMap(parts -> parts[1], parts -> parts[0]));
        Map<String, String> found;
        try (Stream<Path> files = Files.walk(HISTORY)) {
            found =
                    files.filter(file -> file.toString().endsWith(".avsc"))
                            .collect(Collectors.toMap(HistoryTest::relative, HistoryTest::sha256));
        }

        assertThat(found).isEqualTo(digests);
    }

    @Test
    void theHistoryHoldsNothingElseThanWhatIsKnownToday() throws IOException {
        try (Stream<Path> folders = Files.list(HISTORY).filter(Files::isDirectory)) {
            assertThat(folders.map(folder -> folder.getFileName().toString()))
                    .containsExactlyInAnyOrderElementsOf(names().toList());
        }
    }

    private static List<Schema> released(String name) {
        Function<Integer, Path> file = n -> HISTORY.resolve(name).resolve(n + ".avsc");
        return Stream.iterate(1, n -> Files.exists(file.apply(n)), n -> n + 1)
                .map(n -> parse(file.apply(n)))
                .toList();
    }

    private static Schema parse(Path file) {
        try {
            return new Schema.Parser().parse(file.toFile());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static String relative(Path file) {
        return HISTORY.relativize(file).toString().replace('\\', '/');
    }

    private static String sha256(Path file) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(digest.digest(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
