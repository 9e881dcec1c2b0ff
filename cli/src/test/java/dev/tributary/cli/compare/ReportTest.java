package dev.tributary.cli.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
        return new Cell(candidate, size, 1, Map.of(), new TreeMap<>(retention), 2.5);
    }

    @Test
    void theIntervalIsStudents() {
        Interval interval = Interval.of(new double[] {1, 2, 3});

        assertThat(interval.mean()).isEqualTo(2);
        assertThat(interval.halfWidth()).isCloseTo(4.303 / Math.sqrt(3), within(1e-9));
        assertThat(Interval.of(new double[] {5}).halfWidth()).isNaN();
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
                .contains("| TIES & co | 0.800 ± 1.271 | 0.600 | 2.5 |")
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
        Cell cell = cell("TIES", 2, Map.of("a", 0.8, "b", 0.6));

        finished.keep("this", cell);

        assertThat(finished.find("this")).contains(cell);
        assertThat(finished.find("that")).isEmpty();
    }
}
