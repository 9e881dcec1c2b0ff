package dev.tributary.cli;

import dev.tributary.merging.MergeExecutor;
import dev.tributary.tensors.Progress;
import java.time.Duration;
import java.util.function.LongSupplier;

/// Shows how far a merge is: one bar on a terminal, elsewhere a line now and then. Once weights are
/// merged it is told in bytes, with what goes through in a second. What follows a comma in a
/// stage's name may change while it lasts.
final class MergeProgress implements Progress {
    private static final long BETWEEN_LINES = Duration.ofSeconds(10).toNanos();

    private final Terminal terminal;
    private final LongSupplier nanoTime;
    private String stage = "";
    private String said = "";
    private long stageSince;
    private long lastLine;

    MergeProgress(Terminal terminal, LongSupplier nanoTime) {
        this.terminal = terminal;
        this.nanoTime = nanoTime;
        this.lastLine = nanoTime.getAsLong();
    }

    @Override
    public void update(String text, long done, long total) {
        long now = nanoTime.getAsLong();
        int comma = text.indexOf(", ");
        String stageNow = comma < 0 ? text : text.substring(0, comma);
        said = comma < 0 ? "" : text.substring(comma + 2);
        if (!stageNow.equals(stage)) {
            terminal.forget(stage);
            stage = stageNow;
            stageSince = now;
        }
        if (terminal.redraws()) {
            draw(done, total, now);
        } else if (now - lastLine >= BETWEEN_LINES && done < total) {
            lastLine = now;
            terminal.line(line(done, total, now));
        }
    }

    /// The last line says it all, so that a full bar does not stay.
    private void draw(long done, long total, long now) {
        if (done >= total) {
            terminal.forget(stage);
        } else {
            terminal.progress(stage, detail(done, total, now), done, total);
        }
    }

    private String line(long done, long total, long now) {
        double seconds = (now - stageSince) / 1e9;
        String eta =
                done == 0
                        ? "…"
                        : Terminal.duration(
                                Duration.ofMillis(
                                        Math.round(1000 * seconds * (total - done) / done)));
        String detail = detail(done, total, now);
        return "%s %d %%, ETA %s%s"
                .formatted(
                        stage,
                        Math.round(Math.floor(100.0 * done / total)),
                        eta,
                        detail.isEmpty() ? "" : ", " + detail);
    }

    private String detail(long done, long total, long now) {
        if (!stage.equals(MergeExecutor.STAGE)) {
            return said;
        }
        double seconds = Math.max(1e-3, (now - stageSince) / 1e9);
        return "%s of %s, %s/s"
                .formatted(
                        PlanCommand.bytes(done),
                        PlanCommand.bytes(total),
                        PlanCommand.bytes(Math.round(done / seconds)));
    }
}
