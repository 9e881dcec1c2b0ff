package dev.tributary.cli.demo;

import dev.tributary.cli.Terminal;
import dev.tributary.cli.demo.ScoredGeneration.Method;
import dev.tributary.cli.demo.ScoredGeneration.TaskScores;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// How a scored generation looks on the terminal.
final class GenerationTable {
    private GenerationTable() {}

    static void print(Terminal terminal, ScoredGeneration generation) {
        List<String> header = new ArrayList<>(List.of("task", "base", "expert"));
        for (Method method : Method.values()) {
            header.add(method.title());
        }
        header.add("retention");
        header.add("coefficients");
        List<List<String>> rows = new ArrayList<>();
        generation
                .tasks()
                .forEach((task, scores) ->
                        rows.add(row(task, scores, generation.coefficients().get(task))));
        List<String> anp = new ArrayList<>(List.of("ANP", "", ""));
        for (Method method : Method.values()) {
            anp.add(decimals(generation.anp(method)));
        }
        anp.add("");
        anp.add("");
        rows.add(anp);
        terminal.table(header, rows);
    }

    private static List<String> row(
            String task, TaskScores scores, @org.jspecify.annotations.Nullable List<Double> gamma) {
        List<String> row = new ArrayList<>();
        row.add(task);
        row.add(decimals(scores.base()));
        row.add(decimals(scores.expert()));
        for (Method method : Method.values()) {
            row.add(decimals(scores.merged().getOrDefault(method, Double.NaN)));
        }
        row.add(decimals(scores.retention(Method.DIVMERGE)));
        row.add(gamma == null ? "" : coefficients(gamma));
        return row;
    }

    /// The smallest, mean and largest coefficient of a task over the layers.
    private static String coefficients(List<Double> gamma) {
        double least = gamma.stream().mapToDouble(Double::doubleValue).min().orElse(Double.NaN);
        double most = gamma.stream().mapToDouble(Double::doubleValue).max().orElse(Double.NaN);
        double mean = gamma.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
        return String.format(Locale.ROOT, "%.2f (%.2f … %.2f)", mean, least, most);
    }

    private static String decimals(double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.3f", value);
    }
}
