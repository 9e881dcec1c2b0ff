package dev.tributary.cli.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
    @TempDir Path folder;

    private static Cell cell(String candidate, int size, Map<String, Double> retention) {
        TreeMap<String, Retention> known = new TreeMap<>();
        retention.forEach((task, value) -> known.put(task, new Retention(value, List.of())));
        return new Cell(candidate, size, 1, Map.of(), known, 2.5);
    }

    /// Merges that answer the first items of each of a hundred rightly, the expert all of them.
    private static Cell right(String candidate, Map<String, Integer> tasks) {
        TreeMap<String, Retention> retention = new TreeMap<>();
        tasks.forEach((task, right) -> {
            List<Float> influences = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                influences.add((i < right ? 1 : 0) - right / 100F);
            }
            retention.put(task, new Retention(right / 100.0, influences));
        });
        return new Cell(candidate, tasks.size(), 1, Map.of(), retention, 2.5);
    }

    @Test
    void theIntervalIsOverItems() {
        Interval interval = Interval.of(List.of(right("x", Map.of("a", 80, "b", 90))));

        assertThat(interval.mean()).isCloseTo(0.85, within(1e-12));
        assertThat(interval.halfWidth())
                .isCloseTo(1.96 * Math.sqrt((0.16 + 0.09) / 99) / 2, within(1e-6));
        assertThat(Interval.of(List.of(cell("x", 1, Map.of("a", 0.5)))).halfWidth()).isNaN();
        assertThat(Interval.of(List.of()).mean()).isNaN();
    }

    @Test
    void mergesOfOneTaskShareItsItems() {
        Cell merge = right("x", Map.of("a", 80));

        double once = Interval.of(List.of(merge)).halfWidth();

        assertThat(Interval.of(List.of(merge, merge)).halfWidth()).isCloseTo(once, within(1e-9));
    }

    @Test
    void aDifferenceIsTakenItemByItem() {
        List<Cell> better = List.of(right("better", Map.of("a", 88)));
        List<Cell> worse = List.of(right("worse", Map.of("a", 80)));

        Interval difference = Interval.ofDifference(better, worse);

        assertThat(difference.mean()).isCloseTo(0.08, within(1e-12));
        assertThat(difference.halfWidth())
                .isCloseTo(1.96 * Math.sqrt(0.08 * 0.92 / 99), within(1e-6))
                .isLessThan(Interval.of(better).halfWidth());
        assertThat(difference.holdsZero()).isFalse();
    }

    @Test
    void whatIsNotSurelyWorseThanTheBestIsBold() throws Exception {
        List<Cell> cells =
                List.of(
                        right("best", Map.of("a", 88)),
                        right("near", Map.of("a", 87)),
                        right("far", Map.of("a", 70)));

        new Report(cells, new LinkedHashMap<>())
                .write(folder, new TreeMap<>(Map.of("a", 1.0)), List.of());

        assertThat(folder.resolve("report.md"))
                .content()
                .contains("| best | **0.880 ± 0.064** | 2.5 |")
                .contains("| near | **0.870 ± 0.066** | 2.5 |")
                .contains("| far | 0.700 ± 0.090 | 2.5 |");
    }

    @Test
    void tablesAndPlotsSayWhatTheCellsSay() throws Exception {
        List<Cell> cells =
                List.of(
                        cell("TIES & co", 2, Map.of("a", 0.8, "b", 0.6)),
                        cell("TIES & co", 2, Map.of("a", 1.0, "b", 0.8)),
                        cell("TIES & co", 3, Map.of("a", 0.7, "b", 0.5, "c", 0.6)));

        SequencedMap<Integer, List<Cell>> study = new LinkedHashMap<>();
        study.put(5, List.of(cell("LOT", 2, Map.of("a", 0.5, "b", 0.7))));
        study.put(25, List.of(cell("LOT", 2, Map.of("a", 0.7, "b", 0.9))));

        new Report(cells, study)
                .write(folder, new TreeMap<>(Map.of("a", 0.9, "b", 0.5, "c", 0.7)), List.of("x"));

        assertThat(folder.resolve("report.md"))
                .content()
                .contains("| TIES & co | **0.800** | **0.600** | 2.5 |")
                .contains("| TIES & co | 0.700 | 0.500 | 0.600 |")
                .contains("Calibration inputs, 2 tasks")
                .contains("| method | 5 a task | 25 a task |")
                .contains("| LOT | 0.600 | 0.800 |");
        assertThat(Files.readAllLines(folder.resolve("cells.csv")))
                .hasSize(1 + 7)
                .contains("\"TIES & co\",3,a+b+c,1,\"{}\",c,0.600000,0.600000,2.500");
        assertThat(drawing("anp.svg")).isEqualTo("svg");
        assertThat(drawing("cost.svg")).isEqualTo("svg");
        assertThat(drawing("retention.svg")).isEqualTo("svg");
        assertThat(drawing("inputs.svg")).isEqualTo("svg");
    }

    private String drawing(String name) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(folder.resolve(name).toFile())
                .getDocumentElement()
                .getTagName();
    }

    @Test
    void aFinishedCellIsFoundAgainAndNoOther() throws IOException {
        CellFolder finished = new CellFolder(folder);
        Cell cell = right("TIES", Map.of("a", 80, "b", 60));

        finished.keep("this", cell);

        assertThat(finished.find("this")).contains(cell);
        assertThat(finished.find("that")).isEmpty();
    }
}
