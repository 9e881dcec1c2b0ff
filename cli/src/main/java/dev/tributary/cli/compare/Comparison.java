package dev.tributary.cli.compare;

import dev.tributary.cli.FileTrees;
import dev.tributary.cli.Terminal;
import dev.tributary.merging.MergeRequest;
import dev.tributary.merging.PoolMerger;
import dev.tributary.merging.Provenance;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.models.Split;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Progress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Merges every subset with every candidate, scores what comes out on test data, and keeps each
/// result. Options are chosen on validation data alone.
final class Comparison {
    private static final String LABEL = "comparing";

    /// Where merges are made, and the best of those that are chosen among.
    private static final String MERGE = "merge.partial";

    private static final String KEPT = "chosen.partial";

    private final Path base;
    private final Digest baseDigest;
    private final SequencedMap<String, ComparedTask> tasks;
    private final Grid grid;
    private final Path folder;
    private final CellFolder cells;
    private final Terminal terminal;
    private final Set<Path> drawings = new HashSet<>();

    /// Merges of the grid that earlier runs have finished.
    private long known;

    /// What is compared.
    ///
    /// @param subsets by pool size
    /// @param crossed every seed with every subset; else each subset has one of the seeds, and
    ///   those of the last size all that there are
    /// @param testItems of each task, at most; part of what a result depends on
    record Grid(
            List<Candidate> candidates,
            SequencedMap<Integer, List<List<String>>> subsets,
            List<Long> seeds,
            boolean crossed,
            int calibrationItems,
            int testItems,
            int validationItems) {

        /// The methods that are run with other numbers of calibration inputs, at one size, with so
        /// many inputs.
        Grid study(int size, int inputs) {
            return new Grid(
                    candidates.stream().filter(Candidate::studied).toList(),
                    new LinkedHashMap<>(Map.of(size, subsets.getOrDefault(size, List.of()))),
                    seeds,
                    crossed,
                    inputs,
                    testItems,
                    validationItems);
        }

        /// The seeds a candidate is run with on one subset of a size.
        ///
        /// @param subset its number among those of its size
        List<Long> seeds(Candidate candidate, int size, int subset) {
            if (!candidate.seeded()) {
                return seeds.subList(0, Math.min(1, seeds.size()));
            }
            if (crossed) {
                return seeds;
            }
            int others = subsets.getOrDefault(size, List.of()).size();
            if (others >= seeds.size() || isExceeded(size)) {
                return List.of(seeds.get(subset % seeds.size()));
            }
            return IntStream.range(0, seeds.size())
                    .filter(seed -> seed % others == subset)
                    .mapToObj(seeds::get)
                    .toList();
        }

        private boolean isExceeded(int size) {
            return subsets.keySet().stream().anyMatch(other -> other > size);
        }

        /// How many cells it has.
        long cells() {
            return subsets.entrySet().stream()
                    .mapToLong(ofSize ->
                            IntStream.range(0, ofSize.getValue().size())
                                    .mapToLong(subset -> cells(ofSize.getKey(), subset))
                                    .sum())
                    .sum();
        }

        private long cells(int size, int subset) {
            return candidates.stream().mapToLong(c -> seeds(c, size, subset).size()).sum();
        }
    }

    Comparison(
            Path base,
            SequencedMap<String, ComparedTask> tasks,
            Grid grid,
            Path folder,
            Terminal terminal) {
        this.base = base;
        this.baseDigest = Digest.ofDirectory(base);
        this.tasks = tasks;
        this.grid = grid;
        this.folder = folder;
        this.cells = new CellFolder(folder.resolve("cells"));
        this.terminal = terminal;
    }

    List<Cell> run() {
        List<Cell> done = new ArrayList<>();
        long total = grid.cells();
        for (var ofSize : grid.subsets().entrySet()) {
            for (int number = 0; number < ofSize.getValue().size(); number++) {
                List<String> subset = ofSize.getValue().get(number);
                for (Candidate candidate : grid.candidates()) {
                    for (long seed : grid.seeds(candidate, ofSize.getKey(), number)) {
                        terminal.progress(
                                LABEL,
                                "%s, %d tasks, %d inputs"
                                        .formatted(
                                                candidate.name(),
                                                subset.size(),
                                                grid.calibrationItems()),
                                done.size(),
                                total,
                                known);
                        done.add(cell(candidate, subset, seed));
                    }
                }
            }
        }
        terminal.progress(LABEL, "", total, total);
        return done;
    }

    /// What is chosen among several is merged once: the best of them is kept for its test.
    private Cell cell(Candidate candidate, List<String> subset, long seed) {
        Kept kept = null;
        try {
            Map<String, String> options = candidate.grid().getFirst();
            if (candidate.grid().size() > 1) {
                Cell best = null;
                for (Map<String, String> choice : candidate.grid()) {
                    Trial trial = new Trial(candidate, choice, subset, seed, Split.VALIDATION);
                    Cell cell = measured(trial, grid.validationItems(), null);
                    if (best == null || cell.anp() > best.anp()) {
                        best = cell;
                        options = choice;
                        kept = keep(cell.seconds());
                    }
                }
            }
            Trial test = new Trial(candidate, options, subset, seed, Split.TEST);
            return measured(test, grid.testItems(), kept);
        } finally {
            FileTrees.delete(folder.resolve(KEPT));
            FileTrees.delete(folder.resolve(MERGE));
        }
    }

    /// A merge that is still there.
    private record Kept(Path folder, double seconds) {}

    /// Keeps what was merged last; null where an earlier run did that.
    private @Nullable Kept keep(double seconds) {
        Path merge = folder.resolve(MERGE);
        Path kept = folder.resolve(KEPT);
        FileTrees.delete(kept);
        if (!Files.isDirectory(merge)) {
            return null;
        }
        try {
            Files.move(merge, kept);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot move " + merge, e);
        }
        return new Kept(kept, seconds);
    }

    /// A candidate with some options on one subset.
    private record Trial(
            Candidate candidate,
            Map<String, String> options,
            List<String> subset,
            long seed,
            Split split) {}

    /// @param kept the merge, if it is there already
    private Cell measured(Trial trial, int items, @Nullable Kept kept) {
        MergeMethod method = method(trial.candidate(), trial.options(), trial.seed());
        String identity =
                "%s %s %s seed %s, %d of %s, %d calibration items, base %s, experts %s"
                        .formatted(
                                trial.candidate().method(),
                                method.options(),
                                method.version(),
                                trial.seed(),
                                items,
                                trial.split(),
                                grid.calibrationItems(),
                                baseDigest,
                                trial.subset().stream()
                                        .map(task -> task + "=" + task(task).digest())
                                        .collect(Collectors.joining(",")));
        FileTrees.delete(folder.resolve(MERGE));
        Optional<Cell> finished = cells.find(identity);
        if (finished.isPresent() && trial.split() == Split.TEST) {
            known++;
        }
        // Two candidates can come to the same options: the merge is one, each has its own name.
        return finished.map(cell -> cell.of(trial.candidate().name()))
                .orElseGet(() -> {
                    Cell cell = scored(trial, method, kept);
                    cells.keep(identity, cell);
                    return cell;
                });
    }

    private Cell scored(Trial trial, MergeMethod method, @Nullable Kept kept) {
        Path place = kept == null ? folder.resolve(MERGE) : kept.folder();
        double seconds = kept == null ? merge(trial, method, place) : kept.seconds();
        TreeMap<String, Retention> retention = new TreeMap<>();
        for (String task : trial.subset()) {
            retention.put(
                    task,
                    task(task).retention(place.resolve("tasks").resolve(task), trial.split()));
        }
        return new Cell(
                trial.candidate().name(),
                trial.subset().size(),
                trial.seed(),
                trial.options(),
                retention,
                seconds);
    }

    /// @return seconds it took
    private double merge(Trial trial, MergeMethod method, Path target) {
        try {
            Files.createDirectories(target);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + target, e);
        }
        var result =
                PoolMerger.merge(
                        new MergeRequest(
                                base,
                                baseDigest,
                                trial.subset().stream()
                                        .map(task -> member(task, trial.seed()))
                                        .toList(),
                                method,
                                null,
                                null,
                                Provenance.ofRecipe("comparison", "base", new TreeMap<>()),
                                folder.resolve("cache"),
                                target),
                        Progress.SILENT);
        return result.took().toMillis() / 1000.0;
    }

    private MergeRequest.RequestedMember member(String name, long seed) {
        ComparedTask task = task(name);
        return new MergeRequest.RequestedMember(
                name, task.expert(), task.digest(), drawn(task, seed));
    }

    /// The inputs every method learns from with this seed: drawn once, whatever asks for them.
    private Path drawn(ComparedTask task, long seed) {
        Path place =
                folder.resolve("inputs")
                        .resolve("%s-%d-%d".formatted(task.name(), grid.calibrationItems(), seed));
        if (drawings.add(place)) {
            FileTrees.delete(place);
            task.definition().draw(place, grid.calibrationItems(), seed);
        }
        return place;
    }

    /// The seed and the number of calibration inputs are the comparison's, wherever a method has
    /// such options: the same budget for all.
    private MergeMethod method(Candidate candidate, Map<String, String> options, long seed) {
        Map<String, String> known = MergeMethod.of(candidate.method(), options).options();
        Map<String, String> all = new TreeMap<>(options);
        if (known.containsKey("seed")) {
            all.put("seed", Long.toString(seed));
        }
        for (String items : List.of("calibration_items", "trust_region_items")) {
            if (known.containsKey(items)) {
                all.put(items, Integer.toString(grid.calibrationItems()));
            }
        }
        return MergeMethod.of(candidate.method(), all);
    }

    private ComparedTask task(String name) {
        ComparedTask task = tasks.get(name);
        if (task == null) {
            throw new IllegalStateException("no task " + name);
        }
        return task;
    }
}
