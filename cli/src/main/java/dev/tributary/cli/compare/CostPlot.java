package dev.tributary.cli.compare;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/// What each method costs and what it gains, as SVG: seconds of a merge, on a logarithmic axis,
/// against the score.
record CostPlot(String title) {
    private static final int WIDTH = 860;
    private static final int HEIGHT = 520;
    private static final int LEFT = 60;
    private static final int RIGHT = 150;
    private static final int TOP = 40;
    private static final int BOTTOM = 50;
    private static final int TICKS = 5;
    private static final double LINE = 13;
    private static final double LEAST_SECONDS = 0.1;

    /// @param seconds of a merge
    /// @param score mean of the merges
    record Cost(double seconds, double score) {
        private double magnitude() {
            return Math.log10(Math.max(LEAST_SECONDS, seconds));
        }
    }

    /// A point with its words, which may have been moved out of others' way.
    private record Placed(String name, double x, double y, double wordsY) {}

    String of(SequencedMap<String, Cost> costs) {
        Axis scores = Axis.over(costs.values().stream().mapToDouble(Cost::score).toArray());
        double[] magnitudes = costs.values().stream().mapToDouble(Cost::magnitude).toArray();
        Axis seconds = decades(magnitudes);
        Svg svg = new Svg(WIDTH, HEIGHT);
        svg.text(LEFT, TOP - 16, "start", "bold", title);
        for (int tick = 0; tick <= TICKS; tick++) {
            double value = scores.low() + (scores.high() - scores.low()) * tick / TICKS;
            double y = y(value, scores);
            svg.line(LEFT, y, WIDTH - RIGHT, y, Svg.Stroke.GRID);
            svg.text(LEFT - 8, y + 4, "end", "normal", String.format(Locale.ROOT, "%.2f", value));
        }
        for (double decade = seconds.low(); decade <= seconds.high(); decade++) {
            double x = x(decade, seconds);
            svg.line(x, TOP, x, HEIGHT - BOTTOM, Svg.Stroke.GRID);
            String words = decade < 0 ? "%.1f" : "%.0f";
            svg.text(
                    x,
                    HEIGHT - BOTTOM + 20,
                    "middle",
                    "normal",
                    String.format(Locale.ROOT, words, Math.pow(10, decade)));
        }
        svg.text(
                (LEFT + WIDTH - RIGHT) / 2.0,
                HEIGHT - 12,
                "middle",
                "normal",
                "seconds of a merge");
        int number = 0;
        for (Placed placed : placed(costs, seconds, scores)) {
            String colour = Svg.Stroke.number(number++).colour();
            svg.circle(placed.x(), placed.y(), 4, colour);
            if (Math.abs(placed.wordsY() - placed.y()) > LINE / 2) {
                svg.line(
                        placed.x(),
                        placed.y(),
                        placed.x() + 7,
                        placed.wordsY(),
                        new Svg.Stroke(colour, 1, ""));
            }
            svg.text(placed.x() + 9, placed.wordsY() + 4, "start", "normal", placed.name());
        }
        return svg.toString();
    }

    private static Axis decades(double... magnitudes) {
        double low = Math.floor(java.util.Arrays.stream(magnitudes).min().orElse(0));
        double high = Math.ceil(java.util.Arrays.stream(magnitudes).max().orElse(1));
        return new Axis(low, Math.max(low + 1, high));
    }

    /// From the best down, words go below those they would cover.
    private static List<Placed> placed(
            SequencedMap<String, Cost> costs, Axis seconds, Axis scores) {
        List<Placed> placed = new ArrayList<>();
        List<Map.Entry<String, Cost>> sorted =
                costs.entrySet().stream()
                        .sorted(
                                Comparator.comparingDouble(
                                        (Map.Entry<String, Cost> c) -> -c.getValue().score()))
                        .toList();
        for (Map.Entry<String, Cost> cost : sorted) {
            double x = x(cost.getValue().magnitude(), seconds);
            double y = y(cost.getValue().score(), scores);
            double wordsY = y;
            for (Placed other : placed) {
                boolean beside = Math.abs(other.x() - x) < RIGHT;
                if (beside && wordsY < other.wordsY() + LINE) {
                    wordsY = other.wordsY() + LINE;
                }
            }
            placed.add(new Placed(cost.getKey(), x, y, wordsY));
        }
        return placed;
    }

    private static double x(double magnitude, Axis axis) {
        return LEFT + axis.place(magnitude) * (WIDTH - LEFT - RIGHT);
    }

    private static double y(double score, Axis axis) {
        return HEIGHT - BOTTOM - axis.place(score) * (HEIGHT - TOP - BOTTOM);
    }
}
