package dev.tributary.cli.compare;

import java.util.List;
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

    /// How a line looks.
    ///
    /// @param dashes lengths of dashes and gaps; empty for a line without gaps
    record Stroke(String colour, int width, String dashes) {
        static final Stroke GRID = new Stroke("#ddd", 1, "");

        /// Colours that are told apart by those who see red and green alike, too (Okabe and Ito
        /// 2008), with a grey in the place of black.
        private static final List<String> COLOURS =
                List.of("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666");

        private static final List<String> DASHES = List.of("", "7 3", "2 3");

        /// The look of the line of this number: the first 21 differ.
        static Stroke number(int number) {
            int colour = number % COLOURS.size();
            int dashes = number / COLOURS.size() % DASHES.size();
            return new Stroke(COLOURS.get(colour), 2, DASHES.get(dashes));
        }

        Stroke thin() {
            return new Stroke(colour, 1, "");
        }
    }

    void line(double x1, double y1, double x2, double y2, Stroke stroke) {
        String dashes =
                stroke.dashes().isEmpty()
                        ? ""
                        : " stroke-dasharray=\"%s\"".formatted(stroke.dashes());
        add(
                String.format(
                        Locale.ROOT,
                        "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"%d\"%s/>",
                        x1,
                        y1,
                        x2,
                        y2,
                        stroke.colour(),
                        stroke.width(),
                        dashes));
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
