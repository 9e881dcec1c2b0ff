package dev.tributary.cli.compare;

import java.util.Locale;

/// A drawing of lines, circles, rectangles and words.
final class Svg {
    private final StringBuilder body = new StringBuilder();

    Svg(int width, int height) {
        body.append(
                """
                <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" \
                font-family="sans-serif" font-size="12">
                <rect width="100%%" height="100%%" fill="white"/>
                """
                        .formatted(width, height, width, height));
    }

    void line(double x1, double y1, double x2, double y2, String colour, int width) {
        add(
                String.format(
                        Locale.ROOT,
                        "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"%d\"/>",
                        x1,
                        y1,
                        x2,
                        y2,
                        colour,
                        width));
    }

    void circle(double x, double y, int radius, String colour) {
        add(
                String.format(
                        Locale.ROOT,
                        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" fill=\"%s\"/>",
                        x,
                        y,
                        radius,
                        colour));
    }

    void rectangle(double x, double y, double width, double height, String colour) {
        add(
                String.format(
                        Locale.ROOT,
                        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>",
                        x,
                        y,
                        width,
                        height,
                        colour));
    }

    /// @param anchor start, middle or end
    /// @param weight normal or bold
    void text(double x, double y, String anchor, String weight, String words) {
        add(
                String.format(
                        Locale.ROOT,
                        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-weight=\"%s\">%s</text>",
                        x,
                        y,
                        anchor,
                        weight,
                        words.replace("&", "&amp;").replace("<", "&lt;")));
    }

    private void add(String element) {
        body.append(element).append('\n');
    }

    @Override
    public String toString() {
        return body + "</svg>\n";
    }
}
