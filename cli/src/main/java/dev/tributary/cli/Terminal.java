package dev.tributary.cli;

import java.io.Console;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;

/// What a person reads: lines that stay and, below them, progress bars that are redrawn in place.
///
/// On something that is not a terminal (a pipe, a log of a continuous integration run) a bar is
/// printed as a plain line each time a further tenth of its work is done. Safe for use by several
/// threads: lines and bars never interleave.
public final class Terminal {
    private static final int BAR_CELLS = 24;

    private final PrintStream out;
    private final boolean interactive;
    private final SequencedMap<String, Bar> bars = new LinkedHashMap<>();
    private int drawn;
    private long drawnAtNanos;

    /// A terminal on this stream; `interactive` says whether bars can be redrawn in place.
    public Terminal(PrintStream out, boolean interactive) {
        this.out = out;
        this.interactive = interactive;
    }

    /// The terminal of this process.
    public static Terminal standard() {
        return new Terminal(System.out, interactive());
    }

    /// The terminal for progress beside output that a program reads: standard error.
    public static Terminal beside() {
        return new Terminal(System.err, interactive());
    }

    private static boolean interactive() {
        return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false)
                && !"dumb".equals(System.getenv("TERM"));
    }

    /// Whether bars can be redrawn in place.
    boolean redraws() {
        return interactive;
    }

    /// Prints a line that stays.
    public synchronized void line(String text) {
        erase();
        out.println(text);
        draw();
    }

    /// Prints a line in bold where the terminal can.
    public void heading(String text) {
        line(emphasised(text));
    }

    /// The text in bold where the terminal can.
    public String emphasised(String text) {
        return interactive ? "\u001b[1m" + text + "\u001b[0m" : text;
    }

    /// The text in the colour of good (`true`) or bad news, where the terminal can.
    public String coloured(String text, boolean good) {
        return interactive ? (good ? "\u001b[32m" : "\u001b[31m") + text + "\u001b[0m" : text;
    }

    /// Shows how far a piece of work is. A bar that reaches its total stays as a line.
    public void progress(String label, String detail, long done, long total) {
        progress(label, detail, done, total, 0);
    }

    /// Shows how far a piece of work is of which some was done before and took no time now.
    ///
    /// @param before how much of what is done
    public synchronized void progress(
            String label, String detail, long done, long total, long before) {
        Bar bar = bars.computeIfAbsent(label, _ -> new Bar(System.nanoTime()));
        bar.set(detail, done, total, before);
        if (done >= total) {
            bars.remove(label);
            line("  " + label + "  done in " + duration(bar.elapsed()) + suffix(detail));
        } else if (!interactive) {
            int tenth = (int) (10 * done / bar.total);
            if (tenth > bar.tenth) {
                bar.tenth = tenth;
                out.println(bar.render(label));
            }
        } else if (System.nanoTime() - drawnAtNanos > 100_000_000L) {
            erase();
            draw();
        }
    }

    /// Takes a bar away without a word.
    public synchronized void forget(String label) {
        if (bars.remove(label) != null) {
            erase();
            draw();
        }
    }

    /// Prints a table with aligned columns; the first column is left-aligned, the others right.
    public void table(List<String> header, List<List<String>> rows) {
        for (String row : aligned(header, rows)) {
            line(row);
        }
    }

    static List<String> aligned(List<String> header, List<List<String>> rows) {
        int[] widths = new int[header.size()];
        List<List<String>> all = new ArrayList<>(List.of(header));
        all.addAll(rows);
        for (List<String> row : all) {
            for (int column = 0; column < widths.length; column++) {
                widths[column] = Math.max(widths[column], visibleLength(row.get(column)));
            }
        }
        List<String> lines = new ArrayList<>();
        for (List<String> row : all) {
            StringBuilder line = new StringBuilder("  ");
            for (int column = 0; column < widths.length; column++) {
                String cell = row.get(column);
                String padding = " ".repeat(widths[column] - visibleLength(cell));
                line.append(column == 0 ? cell + padding : padding + cell).append("  ");
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }

    private static int visibleLength(String text) {
        return text.replaceAll("\u001b\\[[0-9;]*m", "").length();
    }

    /// A duration as a person says it: `850 ms`, `12.3 s`, `4 min 05 s`.
    public static String duration(Duration duration) {
        long millis = duration.toMillis();
        if (millis < 1000) {
            return "%d ms".formatted(millis);
        }
        if (millis < 60_000) {
            return String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
        }
        return "%d min %02d s".formatted(duration.toMinutes(), duration.toSecondsPart());
    }

    private void erase() {
        if (interactive && drawn > 0) {
            out.print("\u001b[%dA\u001b[J".formatted(drawn));
            drawn = 0;
        }
    }

    private void draw() {
        if (interactive) {
            bars.forEach((label, bar) -> out.println(bar.render(label)));
            drawn = bars.size();
            drawnAtNanos = System.nanoTime();
            out.flush();
        }
    }

    private static String suffix(String detail) {
        return detail.isEmpty() ? "" : "  (" + detail + ")";
    }

    private static final class Bar {
        private final long startedNanos;
        private long stageNanos;
        private String detail = "";
        private long done;
        private long total = 1;
        private long before;
        private int tenth = -1;

        Bar(long startedNanos) {
            this.startedNanos = startedNanos;
            this.stageNanos = startedNanos;
        }

        /// Work that begins anew, as its next stage does, begins a new estimate too.
        void set(String newDetail, long newDone, long newTotal, long newBefore) {
            if ((double) newDone / Math.max(newTotal, 1) < (double) done / total) {
                stageNanos = System.nanoTime();
                tenth = -1;
            }
            detail = newDetail;
            done = newDone;
            total = Math.max(newTotal, 1);
            before = newBefore;
        }

        Duration elapsed() {
            return Duration.ofNanos(System.nanoTime() - startedNanos);
        }

        private Duration elapsedOfStage() {
            return Duration.ofNanos(System.nanoTime() - stageNanos);
        }

        String render(String label) {
            double fraction = (double) done / total;
            int full = (int) Math.round(fraction * BAR_CELLS);
            double worked = (double) (done - before) / total;
            String eta =
                    worked > 0.01
                            ? "ETA "
                                    + duration(
                                            Duration.ofMillis(
                                                    (long)
                                                            (elapsedOfStage().toMillis()
                                                                    * (1 - fraction)
                                                                    / worked)))
                            : "ETA …";
            return String.format(
                    Locale.ROOT,
                    "  %-34s %s%s %3d %%  %s%s",
                    label,
                    "█".repeat(full),
                    "░".repeat(BAR_CELLS - full),
                    (int) (100 * fraction),
                    eta,
                    suffix(detail));
        }
    }
}
