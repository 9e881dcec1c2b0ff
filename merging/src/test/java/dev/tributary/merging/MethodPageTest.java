package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.MethodCatalogue;
import dev.tributary.merging.method.MethodEntry;
import dev.tributary.merging.method.Option;
import dev.tributary.merging.method.TrustRegion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The page of merge methods says what the catalogue says.
class MethodPageTest {
    private static final Path PAGE = Path.of("../docs/merge-methods.md");

    static Stream<MethodEntry<?>> methods() {
        return MethodCatalogue.entries().stream();
    }

    /// A method's row in the table of methods.
    static String row(MethodEntry<?> entry) {
        MergeMethod method = MergeMethod.of(entry.id(), Map.of());
        String needs =
                switch (method.needs()) {
                    case NOTHING -> "nothing";
                    case CALIBRATION -> "a few unlabelled inputs a task";
                    case LABELS -> "a few labelled examples a task";
                };
        String recipe =
                entry.recipeId().equals(entry.id()) ? "" : " (`%s`)".formatted(entry.recipeId());
        return "| `%s`%s | %s | %s | [%s](%s), %s |"
                .formatted(
                        entry.id(),
                        recipe,
                        entry.formula(),
                        needs,
                        entry.title(),
                        entry.paper(),
                        entry.equation());
    }

    /// An option's row in the table of its method.
    static <T> String row(Option<T> option) {
        return "| `%s` | %s | %s | %s | %s%s |"
                .formatted(
                        option.name(),
                        option.text(option.poolDefault()),
                        option.required() ? "required" : option.text(option.recipeDefault()),
                        option.bounds(),
                        option.meaning(),
                        option.statedPerExpert() ? "; also per model" : "");
    }

    /// All methods' sections, as they stand on the page.
    static String sections() {
        StringBuilder text = new StringBuilder();
        for (MethodEntry<?> entry : MethodCatalogue.entries()) {
            List<Option<?>> options = entry.options();
            if (!options.isEmpty()) {
                text.append("## ").append(entry.id()).append("\n\n");
                text.append("| option | default | in recipes | bounds | meaning |\n");
                text.append("|---|---|---|---|---|\n");
                options.forEach(option -> text.append(row(option)).append('\n'));
                text.append('\n');
            }
        }
        return text.toString();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void everyMethodAndOptionHasItsRow(MethodEntry<?> entry) throws IOException {
        String page = Files.readString(PAGE);
        assertThat(page).contains(row(entry));
        for (Option<?> option : entry.options()) {
            assertThat(page).contains(row(option));
        }
    }

    @Test
    void everyMethodWithOptionsHasItsSection() throws IOException {
        String page = Files.readString(PAGE);
        for (MethodEntry<?> entry : MethodCatalogue.entries()) {
            if (!entry.options().isEmpty()) {
                assertThat(page).contains("\n## " + entry.id() + "\n");
            }
        }
    }

    @Test
    void theTrustRegionIsDescribedOnceWithTheMethodsThatTakeIt() throws IOException {
        String page = Files.readString(PAGE);
        for (Option<?> option : TrustRegion.options()) {
            assertThat(page).contains(row(option));
        }
        String methods =
                MethodCatalogue.entries().stream()
                        .filter(MethodEntry::takesTrustRegion)
                        .map(entry -> "`%s`".formatted(entry.id()))
                        .collect(Collectors.joining(", "));
        assertThat(page.replaceAll("\\s+", " "))
                .contains("These methods take it: " + methods + ".");
    }

    @Test
    void namesAreUnique() {
        assertThat(MethodCatalogue.ids()).doesNotHaveDuplicates();
        assertThat(MethodCatalogue.recipeIds()).doesNotHaveDuplicates();
    }
}
