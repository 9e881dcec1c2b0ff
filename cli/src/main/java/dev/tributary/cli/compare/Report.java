package dev.tributary.cli.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/// Writes a comparison for people (Markdown, plots) and for programs (CSV).
final class Report {
    private final List<Cell> cells;
    private final List<String> candidates;
    private final List<Integer> sizes;
    private final SequencedMap<Integer, List<Cell>> study;

    /// @param study merges with other numbers of calibration inputs, all of one size; empty where
    ///   that was not asked
    Report(List<Cell> cells, SequencedMap<Integer, List<Cell>> study) {
        this.cells = List.copyOf(cells);
        this.study = new LinkedHashMap<>(study);
        this.study.values().removeIf(List::isEmpty);
        this.candidates = cells.stream().map(Cell::candidate).distinct().toList();
        this.sizes = List.copyOf(new TreeSet<>(cells.stream().map(Cell::size).toList()));
    }

    /// Writes `report.md`, `cells.csv`, `anp.svg`, `cost.svg`, `retention.svg` and, with a study,
    /// `inputs.svg`.
    ///
    /// @param experts each task's expert's own score
    /// @param settings what was compared and how, a line each
    void write(Path folder, SequencedMap<String, Double> experts, List<String> settings)
            throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("report.md"), markdown(experts, settings));
        Files.writeString(folder.resolve("cells.csv"), csv());
        Files.writeString(
                folder.resolve("anp.svg"),
                new LinePlot("ANP against the number of tasks", "tasks", sizes).of(series()));
        Files.writeString(
                folder.resolve("cost.svg"),
                new CostPlot("ANP against seconds of a merge, %d tasks".formatted(sizes.getLast()))
                        .of(costs()));
        Files.writeString(
                folder.resolve("retention.svg"),
                new HeatMap("Retention by task, %d tasks".formatted(sizes.getLast()))
                        .of(candidates, List.copyOf(experts.keySet()), this::retentionAtLargest));
        if (!study.isEmpty()) {
            Files.writeString(
                    folder.resolve("inputs.svg"),
                    new LinePlot(
                                    "ANP against calibration inputs, %d tasks"
                                            .formatted(studySize()),
                                    "inputs a task",
                                    List.copyOf(study.keySet()))
                            .of(studySeries()));
        }
    }

    private int studySize() {
        return study.firstEntry().getValue().getFirst().size();
    }

    private SequencedMap<String, List<Interval>> studySeries() {
        SequencedMap<String, List<Interval>> series = new LinkedHashMap<>();
        List<String> names =
                study.firstEntry().getValue().stream().map(Cell::candidate).distinct().toList();
        for (String name : names) {
            series.put(
                    name,
                    study.values().stream()
                            .map(of ->
                                    Interval.of(
                                            of.stream()
                                                    .filter(cell -> cell.candidate().equals(name))
                                                    .toList()))
                            .toList());
        }
        return series;
    }

    private SequencedMap<String, List<Interval>> series() {
        SequencedMap<String, List<Interval>> series = new LinkedHashMap<>();
        for (String candidate : candidates) {
            series.put(candidate, sizes.stream().map(size -> anp(candidate, size)).toList());
        }
        return series;
    }

    private SequencedMap<String, CostPlot.Cost> costs() {
        SequencedMap<String, CostPlot.Cost> costs = new LinkedHashMap<>();
        for (String candidate : candidates) {
            double score = anp(candidate, sizes.getLast()).mean();
            if (Double.isFinite(score)) {
                costs.put(candidate, new CostPlot.Cost(secondsAtLargest(candidate), score));
            }
        }
        return costs;
    }

    private double secondsAtLargest(String candidate) {
        return of(candidate, sizes.getLast()).stream()
                .mapToDouble(Cell::seconds)
                .average()
                .orElse(Double.NaN);
    }

    private Interval anp(String candidate, int size) {
        return Interval.of(of(candidate, size));
    }

    /// Bold where no method is surely better.
    private String marked(String candidate, int size) {
        String text = text(anp(candidate, size));
        List<Cell> best =
                candidates.stream()
                        .map(other -> of(other, size))
                        .filter(cells -> !cells.isEmpty())
                        .max(Comparator.comparingDouble(cells -> Interval.of(cells).mean()))
                        .orElseThrow();
        List<Cell> own = of(candidate, size);
        boolean leads =
                !own.isEmpty()
                        && (own.equals(best) || Interval.ofDifference(best, own).holdsZero());
        return leads ? "**%s**".formatted(text) : text;
    }

    private double retentionAtLargest(String candidate, String task) {
        return of(candidate, sizes.getLast()).stream()
                .flatMap(cell -> Stream.ofNullable(cell.retention().get(task)))
                .mapToDouble(Retention::value)
                .average()
                .orElse(Double.NaN);
    }

    private List<Cell> of(String candidate, int size) {
        return cells.stream()
                .filter(cell -> cell.candidate().equals(candidate) && cell.size() == size)
                .toList();
    }

    private String markdown(SequencedMap<String, Double> experts, List<String> settings) {
        StringBuilder page = new StringBuilder("# Merge methods compared\n\n");
        settings.forEach(line -> page.append("- ").append(line).append('\n'));
        page.append(
                "\nNormalised average performance (ANP): the mean over tasks of the merged model's"
                        + " score divided by the expert's own, on the same test items. ± is the half"
                        + " width of the 95 % interval over draws of test items, for the very merges"
                        + " made here: how far other subsets of tasks lie apart is in `cells.csv`."
                        + " Bold: the best of a column, and every method whose difference to it, on"
                        + " the same items, may be none.\n\n");
        List<String> header = new ArrayList<>(List.of("method"));
        sizes.forEach(size -> header.add("%d tasks".formatted(size)));
        header.add("seconds at %d".formatted(sizes.getLast()));
        row(page, header);
        row(page, header.stream().map(_ -> "---").toList());
        for (String candidate : candidates) {
            List<String> row = new ArrayList<>(List.of(candidate));
            sizes.forEach(size -> row.add(marked(candidate, size)));
            row.add(decimals(secondsAtLargest(candidate), 1));
            row(page, row);
        }
        page.append(
                        "\n![ANP against the number of tasks](anp.svg)\n\n![ANP against seconds of a merge](cost.svg)\n\n## Retention by task, ")
                .append(sizes.getLast())
                .append(" tasks\n\n");
        List<String> tasks = List.copyOf(experts.keySet());
        List<String> columns = new ArrayList<>(List.of("method"));
        columns.addAll(tasks);
        row(page, columns);
        row(page, columns.stream().map(_ -> "---").toList());
        List<String> own = new ArrayList<>(List.of("expert's own score"));
        experts.values().forEach(score -> own.add(decimals(score, 3)));
        row(page, own);
        for (String candidate : candidates) {
            List<String> row = new ArrayList<>(List.of(candidate));
            tasks.forEach(task -> row.add(decimals(retentionAtLargest(candidate, task), 3)));
            row(page, row);
        }
        page.append("\n![Retention by task](retention.svg)\n\n");
        if (!study.isEmpty()) {
            studied(page);
        }
        page.append("`cells.csv` has every merge.\n");
        return page.toString();
    }

    private void studied(StringBuilder page) {
        page.append("## Calibration inputs, %d tasks%n%n".formatted(studySize()));
        List<String> columns = new ArrayList<>(List.of("method"));
        study.keySet().forEach(inputs -> columns.add("%d a task".formatted(inputs)));
        row(page, columns);
        row(page, columns.stream().map(_ -> "---").toList());
        studySeries()
                .forEach((name, line) -> {
                    List<String> row = new ArrayList<>(List.of(name));
                    line.forEach(interval -> row.add(text(interval)));
                    row(page, row);
                });
        page.append("\n![ANP against calibration inputs](inputs.svg)\n\n");
    }

    private String csv() {
        StringBuilder lines =
                new StringBuilder("method,tasks,subset,seed,options,task,retention,anp,seconds\n");
        for (Cell cell : cells) {
            cell.retention()
                    .forEach((task, retention) ->
                            lines.append(
                                    String.format(
                                            Locale.ROOT,
                                            "\"%s\",%d,%s,%d,\"%s\",%s,%.6f,%.6f,%.3f%n",
                                            cell.candidate(),
                                            cell.size(),
                                            String.join("+", cell.retention().keySet()),
                                            cell.seed(),
                                            new TreeMap<>(cell.options()),
                                            task,
                                            retention.value(),
                                            cell.anp(),
                                            cell.seconds())));
        }
        return lines.toString();
    }

    private static void row(StringBuilder page, List<String> cells) {
        page.append("| ").append(String.join(" | ", cells)).append(" |\n");
    }

    private static String text(Interval interval) {
        return Double.isNaN(interval.halfWidth())
                ? decimals(interval.mean(), 3)
                : "%s ± %s"
                        .formatted(decimals(interval.mean(), 3), decimals(interval.halfWidth(), 3));
    }

    private static String decimals(double value, int places) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%." + places + "f", value);
    }
}
