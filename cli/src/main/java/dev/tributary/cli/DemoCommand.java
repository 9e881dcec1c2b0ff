package dev.tributary.cli;

import dev.tributary.cli.demo.Demo;
import dev.tributary.cli.demo.DemoSettings;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Shows the main job on real models and real data.
@Command(
        name = "demo",
        mixinStandardHelpOptions = true,
        description = {
            "Shows the main job on this machine: a real broker, a real registry, both workers, the pretrained"
                    + " MiniLM encoder and five labelled text tasks.",
            "Experts are fine-tuned one after another; each is published as soon as it is ready, and"
                    + " generation after generation is merged and scored. Then a damaging checkpoint"
                    + " arrives, an alert fires, the checkpoint is withdrawn, the alert resolves."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary demo",
            "  tributary demo --quick --summary target/demo.json",
            "  tributary demo --data /srv/tributary-demo --seed 2"
        })
final class DemoCommand implements Callable<Integer> {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = ".tributary",
            description =
                    "Where experts, the store and the events are kept (default: ${DEFAULT-VALUE}); a"
                            + " second run trains nothing.")
    Path data = Path.of(".tributary");

    @Option(
            names = "--quick",
            description = "Fewer steps, on the same weights and data: for continuous integration.")
    boolean quick;

    @Option(
            names = "--summary",
            paramLabel = "FILE",
            description = "Write generations and alerts as JSON to this file.")
    @Nullable Path summary;

    @Option(
            names = "--tasks",
            paramLabel = "DIR",
            description = "Folder of task folders (default: examples/tasks).")
    @Nullable Path tasks;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of the fine-tuning and of the merges (default: ${DEFAULT-VALUE}).")
    long seed = 1;

    @Override
    public Integer call() throws InterruptedException {
        Path taskFolder = tasks == null ? Home.folder().resolve("examples/tasks") : tasks;
        DemoSettings settings =
                quick
                        ? DemoSettings.quick(data, taskFolder, seed)
                        : DemoSettings.full(data, taskFolder, seed);
        return new Demo(settings, Terminal.standard()).run(summary) ? 0 : 1;
    }
}
