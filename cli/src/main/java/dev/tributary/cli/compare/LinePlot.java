package dev.tributary.cli.compare;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/// Lines over a few whole numbers, with intervals, as SVG. The axis spans the means; an interval
/// that is wider is cut at its ends. The legend is in the order in which the lines end.
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

    String of(SequencedMap<String, List<Interval>> series) {
        Axis axis =
                Axis.over(
                        series.values().stream()
                                .flatMap(List::stream)
                                .mapToDouble(Interval::mean)
                                .toArray());
        Svg svg = new Svg(WIDTH, HEIGHT);
        svg.text(LEFT, TOP - 16, "start", "bold", title);
        for (int tick = 0; tick <= TICKS; tick++) {
            double value = axis.low() + (axis.high() - axis.low()) * tick / TICKS;
            double y = y(value, axis);
            svg.line(LEFT, y, WIDTH - RIGHT, y, Svg.Stroke.GRID);
            svg.text(LEFT - 8, y + 4, "end", "normal", String.format(Locale.ROOT, "%.2f", value));
        }
        for (int i = 0; i < xs.size(); i++) {
            svg.text(x(i), HEIGHT - BOTTOM + 20, "middle", "normal", xs.get(i).toString());
        }
        svg.text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 12, "middle", "normal", xLabel);
        Map<String, Svg.Stroke> strokes = new HashMap<>();
        series.forEach((name, line) -> {
            Svg.Stroke stroke = Svg.Stroke.number(strokes.size());
            strokes.put(name, stroke);
            line(svg, line, stroke, axis);
        });
        int place = 0;
        for (Map.Entry<String, List<Interval>> line : bestLast(series).reversed()) {
            Svg.Stroke stroke = strokes.getOrDefault(line.getKey(), Svg.Stroke.GRID);
            double y = TOP + 8 + place * 20.0;
            svg.line(WIDTH - RIGHT + 20, y, WIDTH - RIGHT + 44, y, stroke);
            svg.text(WIDTH - RIGHT + 52, y + 4, "start", "normal", line.getKey());
            place++;
        }
        return svg.toString();
    }

    private static List<Map.Entry<String, List<Interval>>> bestLast(
            SequencedMap<String, List<Interval>> series) {
        return series.entrySet().stream()
                .filter(line -> !line.getValue().isEmpty())
                .sorted(Comparator.comparingDouble(line -> line.getValue().getLast().mean()))
                .toList();
    }

    private void line(Svg svg, List<Interval> line, Svg.Stroke stroke, Axis axis) {
        for (int i = 0; i < line.size(); i++) {
            Interval interval = line.get(i);
            double y = y(interval.mean(), axis);
            if (i > 0) {
                svg.line(x(i - 1), y(line.get(i - 1).mean(), axis), x(i), y, stroke);
            }
            svg.circle(x(i), y, 3, stroke.colour());
            if (!Double.isNaN(interval.halfWidth())) {
                svg.line(
                        x(i),
                        y(Math.max(axis.low(), interval.mean() - interval.halfWidth()), axis),
                        x(i),
                        y(Math.min(axis.high(), interval.mean() + interval.halfWidth()), axis),
                        stroke.thin());
            }
        }
    }

    private double x(int index) {
        double step = (double) (WIDTH - LEFT - RIGHT - 40) / Math.max(1, xs.size() - 1);
        return LEFT + 20 + index * step;
    }

    private static double y(double value, Axis axis) {
        return HEIGHT - BOTTOM - axis.place(value) * (HEIGHT - TOP - BOTTOM);
    }
}
