package dev.tributary.cli.compare;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleBiFunction;

/// A table of numbers around 1, coloured, as SVG.
record HeatMap(String title) {
    private static final int ROW_WIDTH = 190;
    private static final int CELL_WIDTH = 110;
    private static final int CELL_HEIGHT = 24;
    private static final int TOP = 70;

    /// Retention at and below which a cell is red, and at which it is green.
    private static final double WORST = 0.5;

    private static final double BEST = 1.0;
    private static final int GREEN = 130;

    String of(List<String> rows, List<String> columns, ToDoubleBiFunction<String, String> value) {
        Svg svg =
                new Svg(
                        ROW_WIDTH + CELL_WIDTH * columns.size() + 10,
                        TOP + CELL_HEIGHT * rows.size() + 10);
        svg.text(10, 24, "start", "bold", title);
        for (int c = 0; c < columns.size(); c++) {
            svg.text(
                    ROW_WIDTH + (c + 0.5) * CELL_WIDTH,
                    TOP - 10,
                    "middle",
                    "normal",
                    columns.get(c));
        }
        for (int r = 0; r < rows.size(); r++) {
            double y = TOP + r * (double) CELL_HEIGHT;
            svg.text(ROW_WIDTH - 8, y + 16, "end", "normal", rows.get(r));
            for (int c = 0; c < columns.size(); c++) {
                double shown = value.applyAsDouble(rows.get(r), columns.get(c));
                double x = ROW_WIDTH + c * (double) CELL_WIDTH;
                svg.rectangle(x, y, CELL_WIDTH - 2, CELL_HEIGHT - 2, colour(shown));
                svg.text(
                        x + CELL_WIDTH / 2.0,
                        y + 16,
                        "middle",
                        "normal",
                        Double.isNaN(shown) ? "-" : String.format(Locale.ROOT, "%.3f", shown));
            }
        }
        return svg.toString();
    }

    private static String colour(double value) {
        if (Double.isNaN(value)) {
            return "#eee";
        }
        double share = Math.clamp((value - WORST) / (BEST - WORST), 0, 1);
        return "hsl(%d 70%% 78%%)".formatted(Math.round(share * GREEN));
    }
}
