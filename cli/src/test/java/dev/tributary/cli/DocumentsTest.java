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
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The documents say what the code says.
class DocumentsTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern SETTING =
            Pattern.compile(
                    "(?<doc>(?:^ +///[^\\n]*\\n)+)(?:^ +@WithName[^\\n]*\\n)?"
                            + "(?:^ +@WithDefault\\(\"(?<default>[^\"]*)\"\\)\\n)?"
                            + "^(?<indent> +)(?:Path|Duration|boolean|int|double|String|OptionalInt) (?<name>\\w+)\\(\\);",
                    Pattern.MULTILINE);
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

    @ParameterizedTest
    @CsvSource({
        "merge-worker/src/main/java/dev/tributary/merge/MergeConfig.java, TRIBUTARY_, 13",
        "merge-worker/src/main/java/dev/tributary/merge/BrokerConfig.java, KAFKA_, 1",
        "merge-worker/src/main/java/dev/tributary/merge/RegistryConfig.java, SCHEMA_REGISTRY_, 1",
        "eval-worker/src/main/java/dev/tributary/eval/EvalConfig.java, TRIBUTARY_, 14",
        "eval-worker/src/main/java/dev/tributary/eval/BrokerConfig.java, KAFKA_, 1",
        "eval-worker/src/main/java/dev/tributary/eval/RegistryConfig.java, SCHEMA_REGISTRY_, 1"
    })
    void everySettingOfAWorkerStandsOnItsPageAsItIsDeclared(
            String declaration, String prefix, int settings) throws IOException {
        Path file = ROOT.resolve(declaration);
        String worker = file.subpath(1, 2).toString();
        String page = Files.readString(ROOT.resolve("docs/configuration.md"));
        String section = page.substring(page.indexOf("## " + worker));
        Matcher setting = SETTING.matcher(Files.readString(file));
        int found = 0;
        while (setting.find()) {
            boolean nested = setting.group("indent").length() > 4;
            String inner = nested ? worker.replace("-worker", "").toUpperCase(Locale.ROOT) : "";
            String name =
                    setting.group("name").replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT);
            assertThat(section)
                    .contains(
                            "| `%s%s%s` | %s | %s |"
                                    .formatted(
                                            prefix,
                                            nested ? inner + "_" : "",
                                            name,
                                            Objects.requireNonNullElse(
                                                    setting.group("default"), "none"),
                                            setting.group("doc")
                                                    .replaceAll("\\s*///\\s*", " ")
                                                    .strip()));
            found++;
        }
        assertThat(found).isEqualTo(settings);
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
