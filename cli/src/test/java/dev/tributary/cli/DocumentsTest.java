package dev.tributary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.schemas.Topic;
import dev.tributary.tensors.FailureCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The documents say what the code says.
class DocumentsTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)(#[^)]*)?\\)");

    @Test
    void everyFailureCodeHasItsRow() throws IOException {
        String page = Files.readString(ROOT.resolve("docs/failures.md"));
        for (FailureCode code : FailureCode.values()) {
            assertThat(page).contains("| %s | %s |".formatted(code.name(), code.meaning()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"task_arithmetic", "ties", "divmerge"})
    void everyOptionOfAMethodStandsInItsTableWithItsDefault(String id) throws IOException {
        String page = Files.readString(ROOT.resolve("docs/merge-methods.md"));
        int from = page.indexOf("\n## " + id);
        int to = page.indexOf("\n## ", from + 1);
        assertThat(from).as("section " + id).isPositive();
        String section = page.substring(from, to);
        MergeMethod.of(id, Map.of())
                .options()
                .forEach((option, value) ->
                        assertThat(section).contains("| `%s` | %s |".formatted(option, value)));
    }

    @Test
    void everyEventAndFieldStandsOnItsPage() throws IOException {
        String page = Files.readString(ROOT.resolve("docs/events.md"));
        for (Topic topic : Topic.values()) {
            assertThat(page).contains("`" + topic.topicName() + "`");
        }
        for (Topic topic : Topic.ofEvents()) {
            for (var type : topic.recordTypes()) {
                Schema schema = SpecificData.get().getSchema(type);
                assertThat(page).contains("### " + schema.getName() + "\n");
                for (Schema.Field field : schema.getFields()) {
                    assertThat(page)
                            .as(schema.getName())
                            .contains("| `%s` |".formatted(field.name()), field.doc());
                }
            }
        }
    }

    @Test
    void noLinkLeadsNowhere() throws IOException {
        List<String> broken = new ArrayList<>();
        for (Path page : pages()) {
            Matcher link = LINK.matcher(Files.readString(page));
            while (link.find()) {
                Path target = page.resolveSibling(link.group(1));
                if (!Files.exists(target)) {
                    broken.add("%s -> %s".formatted(page, link.group(1)));
                }
            }
        }
        assertThat(broken).isEmpty();
    }

    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>();
        try (Stream<Path> top = Files.list(ROOT)) {
            top.filter(file -> file.toString().endsWith(".md")).forEach(pages::add);
        }
        for (String folder : List.of("docs", "examples", "k8s")) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(folder))) {
                files.filter(file -> file.toString().endsWith(".md"))
                        .filter(file -> !file.toString().contains("target"))
                        .forEach(pages::add);
            }
        }
        return pages;
    }
}
