package dev.tributary.cli.compare;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/// Lines over a few whole numbers, with intervals, as SVG.
///
/// @param xs the places on the horizontal axis
record LinePlot(String title, String xLabel, List<Integer> xs) {
    private static final int WIDTH = 860;
    private static final int HEIGHT = 480;
    private static final int LEFT = 60;
    private static final int RIGHT = 250;
    private static final int TOP = 40;
    private static final int BOTTOM = 50;
    private static final int TICKS = 5;
    private static final int FULL_CIRCLE = 360;

    String of(SequencedMap<String, List<Interval>> series) {
        double least = 1;
        double most = 0;
        for (List<Interval> line : series.values()) {
            for (Interval interval : line) {
                double half = Double.isNaN(interval.halfWidth()) ? 0 : interval.halfWidth();
                least = Math.min(least, interval.mean() - half);
                most = Math.max(most, interval.mean() + half);
            }
        }
        double low = Math.floor(least * 10) / 10;
        double high = Math.max(low + 0.1, Math.ceil(most * 10) / 10);
        Svg svg = new Svg(WIDTH, HEIGHT);
        svg.text(LEFT, TOP - 16, "start", "bold", title);
        for (int tick = 0; tick <= TICKS; tick++) {
            double value = low + (high - low) * tick / TICKS;
            double y = y(value, low, high);
            svg.line(LEFT, y, WIDTH - RIGHT, y, "#ddd", 1);
            svg.text(LEFT - 8, y + 4, "end", "normal", String.format(Locale.ROOT, "%.2f", value));
        }
        for (int i = 0; i < xs.size(); i++) {
            svg.text(x(i), HEIGHT - BOTTOM + 20, "middle", "normal", xs.get(i).toString());
        }
        svg.text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 12, "middle", "normal", xLabel);
        int number = 0;
        for (Map.Entry<String, List<Interval>> line : series.entrySet()) {
            String colour =
                    "hsl(%d 65%% 42%%)"
                            .formatted(number * FULL_CIRCLE / Math.max(1, series.size()));
            line(svg, line.getValue(), colour, low, high);
            double y = TOP + 8 + number * 20.0;
            svg.line(WIDTH - RIGHT + 20, y, WIDTH - RIGHT + 44, y, colour, 3);
            svg.text(WIDTH - RIGHT + 52, y + 4, "start", "normal", line.getKey());
            number++;
        }
        return svg.toString();
    }

    private void line(Svg svg, List<Interval> line, String colour, double low, double high) {
        for (int i = 0; i < line.size(); i++) {
            Interval interval = line.get(i);
            double y = y(interval.mean(), low, high);
            if (i > 0) {
                svg.line(x(i - 1), y(line.get(i - 1).mean(), low, high), x(i), y, colour, 2);
            }
            svg.circle(x(i), y, 3, colour);
            if (!Double.isNaN(interval.halfWidth())) {
                svg.line(
                        x(i),
                        y(interval.mean() - interval.halfWidth(), low, high),
                        x(i),
                        y(interval.mean() + interval.halfWidth(), low, high),
                        colour,
                        1);
            }
        }
    }

    private double x(int index) {
        double step = (double) (WIDTH - LEFT - RIGHT - 40) / Math.max(1, xs.size() - 1);
        return LEFT + 20 + index * step;
    }

    private static double y(double value, double low, double high) {
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM);
    }
}
