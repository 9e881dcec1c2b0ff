package dev.tributary.cli.demo;

import dev.tributary.cli.EventLog;
import dev.tributary.cli.LocalTributary;
import dev.tributary.cli.PoolCommand;
import dev.tributary.cli.PoolStatus;
import dev.tributary.cli.Publications;
import dev.tributary.cli.Published;
import dev.tributary.cli.Terminal;
import dev.tributary.cli.demo.DemoSettings.ExpertRecipe;
import dev.tributary.events.VerdictPolicy;
import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Progress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The main job, shown: experts arrive one after another, the pool re-merges itself, each
/// generation is scored; a damaging checkpoint arrives, fires an alert and is withdrawn.
public final class Demo {
    private static final Duration PATIENCE = Duration.ofMinutes(20);
    private static final Progress SILENT = (_, _, _) -> {};

    private final DemoSettings settings;
    private final Terminal terminal;
    private final DemoSummary summary = new DemoSummary();
    private final Instant started = Instant.now();

    /// A demo that tells its story on this terminal.
    public Demo(DemoSettings settings, Terminal terminal) {
        this.settings = settings;
        this.terminal = terminal;
    }

    /// Runs it.
    ///
    /// @param summaryFile where generations and alerts are written as JSON, or null
    /// @return whether everything came out as it should
    public boolean run(@Nullable Path summaryFile) throws InterruptedException {
        terminal.heading("Tributary demo");
        terminal.line("data in " + settings.data().toAbsolutePath().normalize());
        Experts experts = new Experts(settings.data().resolve("models"), terminal);
        Path base = experts.base();
        terminal.line("base: the pretrained MiniLM-L6 encoder, 22.6 M parameters, " + base);
        terminal.heading("Starting broker, registry and workers");
        try (LocalTributary local =
                LocalTributary.start(settings.data(), LocalTributary.Ports.free(), 1, terminal)) {
            boolean good = play(local, experts, base);
            if (summaryFile != null) {
                summary.write(summaryFile);
                terminal.line("summary written to " + summaryFile);
            }
            conclude(local, good);
            return good;
        }
    }

    private boolean play(LocalTributary local, Experts experts, Path base)
            throws InterruptedException {
        String pool = freeName(local);
        List<TaskDefinition> tasks = new ArrayList<>();
        for (ExpertRecipe recipe : settings.experts()) {
            tasks.add(TaskDefinition.read(settings.taskFolder().resolve(recipe.task())));
        }
        try (Publications publications = new Publications(local.connection());
                TestScores scores =
                        new TestScores(
                                local.connection().store(),
                                settings.data().resolve("cache").resolve("test-scores"),
                                base,
                                tasks,
                                settings.testItems());
                Narrator narrator =
                        Narrator.start(local.connection(), pool, scores, summary, terminal)) {
            ArtifactReference baseArtifact = publications.importCheckpoint(base, SILENT);
            Published configured =
                    publications.configurePool(
                            pool,
                            baseArtifact,
                            "divmerge",
                            settings.mergeOptions(),
                            new VerdictPolicy(0.01, 0.05, 0.15));
            PoolCommand.awaitConfigured(local.connection(), pool, configured.eventId());
            terminal.heading("Pool %s: DivMerge, one coefficient a task and layer".formatted(pool));
            Shelf shelf = new Shelf(publications, pool, baseArtifact.digest().value(), settings);
            String last = "";
            for (int i = 0; i < tasks.size(); i++) {
                Path expert = experts.expert(settings.experts().get(i), tasks.get(i));
                if (i > 0) { // so that every pool size has its generation, however fast experts
                    // come
                    narrator.awaitMerged(last, PATIENCE);
                }
                last = shelf.publish(tasks.get(i), expert);
                terminal.line("  published " + tasks.get(i).name());
            }
            narrator.awaitScored(last, PATIENCE);
            return damageAndRepair(experts, tasks.getFirst(), shelf, narrator);
        }
    }

    private boolean damageAndRepair(
            Experts experts, TaskDefinition task, Shelf shelf, Narrator narrator)
            throws InterruptedException {
        terminal.heading("A damaging checkpoint of %s arrives".formatted(task.name()));
        Path damaged = experts.damaged(settings.experts().getFirst(), task);
        narrator.announceDamage(task.name(), shelf.digestOf(damaged));
        String published = shelf.publish(task, damaged);
        narrator.awaitScored(published, PATIENCE);
        boolean fired = narrator.firing(task.name());
        terminal.heading("The checkpoint is withdrawn");
        String withdrawn = shelf.withdraw(task, damaged);
        narrator.awaitScored(withdrawn, PATIENCE);
        boolean resolved = !narrator.firing(task.name());
        terminal.line(
                "  alert on %s: %s, then %s"
                        .formatted(
                                task.name(),
                                fired ? "fired" : "did NOT fire",
                                resolved ? "resolved" : "NOT resolved"));
        return fired && resolved;
    }

    private static String freeName(LocalTributary local) {
        try (EventLog log = EventLog.open(local.connection())) {
            Map<String, PoolStatus> pools = PoolStatus.readAll(log);
            int number = 1;
            while (pools.containsKey("demo-" + number)) {
                number++;
            }
            return "demo-" + number;
        }
    }

    private void conclude(LocalTributary local, boolean good) {
        terminal.heading(
                "%s in %s"
                        .formatted(
                                good ? "Done" : "Ended, but not as it should",
                                Terminal.duration(Duration.between(started, Instant.now()))));
        Path data = settings.data();
        terminal.line(
                "  generations  %s".formatted(local.connection().store().resolve("generations")));
        terminal.line("  logs         %s".formatted(data.resolve("logs").toAbsolutePath()));
        terminal.line("  events       ./tributary up --data %s &".formatted(data));
        terminal.line(
                "               ./tributary watch --from-start --once --data %s".formatted(data));
        terminal.line("  next         ./tributary status --data %s".formatted(data));
    }
}
