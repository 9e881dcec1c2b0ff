package dev.tributary.cli;

import dev.tributary.events.GenerationMerged;
import dev.tributary.schemas.Topic;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FolderArtifactStore;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Makes generations anew and compares them with what was published.
@Command(
        name = "replay",
        mixinStandardHelpOptions = true,
        description = {
            "Makes the generations of the log anew, from their bases, experts and task definitions alone, and compares every"
                    + " byte with what was published.",
            "Changes nothing. Exit code 1 when a generation comes out differently, or something it was made of"
                    + " is missing or changed. A release that merges differently says so: it has another"
                    + " version of the method in the generation's id."
        },
        footerHeading = "%nExamples:%n",
        footer = {"  tributary replay", "  tributary replay my-pool --last 3 --times 2"})
final class ReplayCommand implements Callable<Integer> {
    @Mixin StackOptions stack = new StackOptions();

    @Parameters(arity = "0..1", paramLabel = "POOL", description = "Only this pool.")
    @Nullable String pool;

    @Option(
            names = "--last",
            paramLabel = "N",
            defaultValue = "0",
            description = "Only the last N generations of each pool; 0 = all (default: 0).")
    int last;

    @Option(
            names = "--times",
            paramLabel = "N",
            defaultValue = "1",
            description = "How often each is made (default: ${DEFAULT-VALUE}).")
    int times = 1;

    @Override
    public Integer call() throws IOException {
        Connection connection = stack.connection();
        List<GenerationMerged> all = new ArrayList<>();
        try (EventLog log = EventLog.open(connection)) {
            for (var record : log.read(List.of(Topic.GENERATIONS), _ -> true)) {
                if (record.value() instanceof GenerationMerged merged) {
                    all.add(merged);
                }
            }
        }
        List<GenerationMerged> chosen = chosen(all);
        Terminal terminal = Terminal.standard();
        if (chosen.isEmpty()) {
            terminal.line(
                    pool == null
                            ? "no generations yet"
                            : "[%s] has no generations: `tributary status` lists the pools"
                                    .formatted(pool));
            return pool == null ? 0 : 1;
        }
        Path scratch = Files.createTempDirectory("tributary-replay");
        int different = 0;
        try (FolderArtifactStore store = FolderArtifactStore.open(connection.store())) {
            GenerationReplay replay = new GenerationReplay(store, all, scratch);
            for (int i = 0; i < chosen.size(); i++) {
                terminal.progress("making generations anew", name(chosen.get(i)), i, chosen.size());
                different += same(replay, chosen.get(i), terminal) ? 0 : 1;
            }
            terminal.progress("making generations anew", "", chosen.size(), chosen.size());
        } finally {
            FileTrees.delete(scratch);
        }
        terminal.line(
                different == 0
                        ? "made anew: %d, each the same to the byte".formatted(chosen.size())
                        : "made anew: %2$d, not the same: %1$d"
                                .formatted(different, chosen.size()));
        return different == 0 ? 0 : 1;
    }

    private List<GenerationMerged> chosen(List<GenerationMerged> all) {
        return all.stream()
                .filter(one -> pool == null || one.getPool().equals(pool))
                .filter(one -> last == 0 || one.getNumber() > newest(all, one.getPool()) - last)
                .toList();
    }

    private static long newest(List<GenerationMerged> all, String pool) {
        return all.stream()
                .filter(one -> one.getPool().equals(pool))
                .mapToLong(GenerationMerged::getNumber)
                .max()
                .orElse(0);
    }

    private boolean same(GenerationReplay replay, GenerationMerged generation, Terminal terminal) {
        try {
            for (int i = 0; i < times; i++) {
                Digest made = replay.again(generation, Progress.SILENT);
                if (!made.value().equals(generation.getArtifact().getDigest())) {
                    terminal.line(
                            "  %s came out as %s, published was %s"
                                    .formatted(
                                            name(generation),
                                            made,
                                            generation.getArtifact().getDigest()));
                    return false;
                }
            }
            return true;
        } catch (RefusedException e) {
            terminal.line("  %s cannot be made: %s".formatted(name(generation), e.getMessage()));
            return false;
        }
    }

    private static String name(GenerationMerged generation) {
        return "%s generation %d".formatted(generation.getPool(), generation.getNumber());
    }
}
