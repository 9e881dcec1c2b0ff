package dev.tributary.cli.compare;

import dev.tributary.cli.Terminal;
import dev.tributary.cli.demo.BaseModel;
import dev.tributary.models.FineTuner;
import dev.tributary.models.FineTuning;
import dev.tributary.models.Split;
import dev.tributary.models.TaskDefinition;
import dev.tributary.models.TaskKind;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Compares merge methods over pool sizes.
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        description = {
            "Compares merge methods over pool sizes: fine-tunes an expert a task, merges subsets of"
                    + " them by every method, scores on test data, writes a report.",
            "Options of a method are chosen on validation data. An interrupted run goes on where it was."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary compare",
            "  tributary compare --task tasks/a --task tasks/b --task tasks/c --sizes 2,3 --out comparison",
            "  tributary compare --method TIES --method \"DivMerge LL JS\" --full"
        })
public final class CompareCommand implements Callable<Integer> {
    @Option(
            names = "--out",
            paramLabel = "DIR",
            defaultValue = ".tributary/comparison",
            description = "Experts, finished merges and the report (default: ${DEFAULT-VALUE}).")
    Path out = Path.of(".tributary/comparison");

    @Option(
            names = "--base",
            paramLabel = "DIR",
            description = "Hugging Face directory of the base (default: the bundled MiniLM).")
    @Nullable Path base;

    @Option(
            names = "--task",
            paramLabel = "FILE",
            description = "Task file or folder; repeat it (default: all of examples/tasks).")
    List<Path> tasks = new ArrayList<>();

    @Option(
            names = "--method",
            paramLabel = "NAME",
            description =
                    "Only the methods of this name in the report; repeat it. Two more are not in it"
                            + " unless asked for: \"CAT, tuned\" and \"TATR, tuned\".")
    List<String> methods = new ArrayList<>();

    @Option(
            names = "--sizes",
            split = ",",
            paramLabel = "K",
            description = "Pool sizes (default: 2 up to all tasks).")
    List<Integer> sizes = new ArrayList<>();

    @Option(
            names = "--subsets",
            paramLabel = "N",
            description =
                    "Subsets a pool size (default: 2, and 1 where a subset leaves out a single"
                            + " task).")
    @Nullable Integer subsets;

    @Option(names = "--full", description = "Every subset of every size, with every seed.")
    boolean full;

    @Option(
            names = "--seeds",
            paramLabel = "N",
            defaultValue = "2",
            description =
                    "Seeds for methods that draw calibration inputs or masks; each subset of a size has"
                            + " one of them, that of the largest size all (default:"
                            + " ${DEFAULT-VALUE}).")
    int seeds = 2;

    @Option(
            names = "--calibration-items",
            paramLabel = "N",
            defaultValue = "100",
            description =
                    "Unlabelled inputs a task any method may use (default: ${DEFAULT-VALUE}).")
    int calibrationItems = 100;

    @Option(
            names = "--study",
            split = ",",
            paramLabel = "N",
            defaultValue = "5,25,100,400",
            description =
                    "Numbers of calibration inputs LOT and DivMerge are also run with, on the subsets"
                            + " of one size (default: ${DEFAULT-VALUE}).")
    List<Integer> study = new ArrayList<>();

    @Option(
            names = "--study-size",
            paramLabel = "K",
            defaultValue = "4",
            description =
                    "The pool size of that study; none where it is not among the sizes (default:"
                            + " ${DEFAULT-VALUE}).")
    int studySize = 4;

    @Option(
            names = "--test-items",
            paramLabel = "N",
            defaultValue = "300",
            description = "Test items a task (default: ${DEFAULT-VALUE}).")
    int testItems = 300;

    @Option(
            names = "--validation-items",
            paramLabel = "N",
            defaultValue = "100",
            description =
                    "Validation items a task that options are chosen on (default:"
                            + " ${DEFAULT-VALUE}).")
    int validationItems = 100;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "2",
            description = "Epochs of fine-tuning an expert (default: ${DEFAULT-VALUE}).")
    int epochs = 2;

    @Option(
            names = "--max-examples",
            paramLabel = "N",
            defaultValue = "4000",
            description = "Training examples of an expert, at most (default: ${DEFAULT-VALUE}).")
    int maxExamples = 4000;

    @Option(
            names = "--learning-rate",
            paramLabel = "RATE",
            description = "Highest learning rate of an expert's layers (default: 8e-5).")
    @Nullable Double learningRate;

    @Option(
            names = "--train-embeddings",
            description =
                    "Train the experts' embeddings too; without it they differ in their layers only.")
    boolean trainEmbeddings;

    private final Terminal terminal = Terminal.standard();

    @Override
    public Integer call() throws IOException {
        List<Path> folders = tasks.isEmpty() ? exampleTasks() : tasks;
        List<Candidate> candidates = fitting(candidates(), folders);
        Path model = base == null ? new BaseModel(out.resolve("models")).directory() : base;
        SequencedMap<String, ComparedTask> compared = compared(folders, model);
        try {
            return compare(candidates, model, compared);
        } finally {
            compared.values().forEach(ComparedTask::close);
        }
    }

    private int compare(
            List<Candidate> candidates, Path model, SequencedMap<String, ComparedTask> compared)
            throws IOException {
        List<Integer> wanted = sizes(compared.size());
        SequencedMap<Integer, List<List<String>>> chosen = new LinkedHashMap<>();
        for (int size : wanted) {
            chosen.put(
                    size,
                    Subsets.of(
                            List.copyOf(compared.keySet()),
                            size,
                            full ? Integer.MAX_VALUE : subsets(size, compared.size()),
                            0));
        }
        Comparison.Grid grid =
                new Comparison.Grid(
                        candidates,
                        chosen,
                        LongStream.rangeClosed(1, seeds).boxed().toList(),
                        full,
                        calibrationItems,
                        testItems,
                        validationItems);
        SequencedMap<Integer, Comparison.Grid> studies = new LinkedHashMap<>();
        if (chosen.containsKey(studySize)) {
            study.stream()
                    .sorted()
                    .distinct()
                    .forEach(inputs -> studies.put(inputs, grid.study(studySize, inputs)));
        }
        terminal.heading(
                "%d merges, %d more with other numbers of inputs"
                        .formatted(
                                grid.cells(),
                                studies.values().stream().mapToLong(Comparison.Grid::cells).sum()));
        List<Cell> cells = new Comparison(model, compared, grid, out, terminal).run();
        SequencedMap<Integer, List<Cell>> studied = new LinkedHashMap<>();
        studies.forEach((inputs, smaller) ->
                studied.put(inputs, new Comparison(model, compared, smaller, out, terminal).run()));
        SequencedMap<String, Double> own = new LinkedHashMap<>();
        compared.forEach((name, task) -> own.put(name, task.own(Split.TEST)));
        Path report = out.resolve("report");
        new Report(cells, studied).write(report, own, settings(model, grid));
        terminal.line("report written to " + report.resolve("report.md"));
        return 0;
    }

    /// How many subsets of a size, at most: two that each leave out one task are nearly the same.
    private int subsets(int size, int tasks) {
        if (subsets != null) {
            return subsets;
        }
        return size == tasks - 1 ? 1 : 2;
    }

    private List<String> settings(Path model, Comparison.Grid grid) {
        String subsetText =
                grid.subsets().entrySet().stream()
                        .map(e -> "%d of size %d".formatted(e.getValue().size(), e.getKey()))
                        .reduce((a, b) -> a + ", " + b)
                        .orElse("");
        return List.of(
                "base: %s; experts: %d epochs, at most %d examples, learning rate %s, embeddings %s"
                        .formatted(
                                model.getFileName(),
                                epochs,
                                maxExamples,
                                learningRate == null
                                        ? FineTuning.defaults().learningRate()
                                        : learningRate,
                                trainEmbeddings ? "trained" : "the base's"),
                "subsets: " + subsetText,
                "seeds: %d; calibration inputs a task: %d, without labels; test items a task: at most %d; options chosen on %d validation items a task"
                        .formatted(seeds, calibrationItems, testItems, validationItems));
    }

    private List<Candidate> candidates() {
        if (methods.isEmpty()) {
            return Candidate.defaults();
        }
        List<Candidate> chosen = new ArrayList<>();
        List<Fault> faults = new ArrayList<>();
        for (String name : methods) {
            Optional<Candidate> found =
                    Candidate.all().stream()
                            .filter(c -> c.name().equalsIgnoreCase(name))
                            .findFirst();
            found.ifPresentOrElse(
                    chosen::add,
                    () ->
                            faults.add(
                                    new Fault(
                                            FailureCode.UNKNOWN_METHOD,
                                            "--method",
                                            "'%s' is not compared, expected one of %s"
                                                    .formatted(
                                                            name,
                                                            String.join(
                                                                    ", ",
                                                                    Candidate.all().stream()
                                                                            .map(Candidate::name)
                                                                            .toList())))));
        }
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        return chosen;
    }

    /// Leaves out, and says so, what cannot learn from texts that are generated where any are.
    private List<Candidate> fitting(List<Candidate> candidates, List<Path> folders) {
        boolean generated =
                folders.stream()
                        .map(TaskDefinition::read)
                        .anyMatch(task -> task.kind() == TaskKind.GENERATION);
        if (!generated) {
            return candidates;
        }
        List<Candidate> fitting = candidates.stream().filter(Candidate::takesGeneration).toList();
        List<String> others =
                candidates.stream()
                        .filter(candidate -> !fitting.contains(candidate))
                        .map(Candidate::name)
                        .toList();
        if (!others.isEmpty()) {
            terminal.line(
                    "left out, as they take gradients of labels and answers are generated here: "
                            + String.join(", ", others));
        }
        if (fitting.isEmpty()) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.BAD_OPTION,
                            "--method",
                            "none is left, expected one that takes generative tasks"));
        }
        return fitting;
    }

    private List<Integer> sizes(int available) {
        if (sizes.isEmpty()) {
            List<Integer> all = new ArrayList<>();
            for (int size = 2; size <= available; size++) {
                all.add(size);
            }
            return all;
        }
        for (int size : sizes) {
            if (size < 1 || size > available) {
                throw new RefusedException(
                        new Fault(
                                FailureCode.BAD_OPTION,
                                "--sizes",
                                "%d, expected 1 to %d, the number of tasks"
                                        .formatted(size, available)));
            }
        }
        return sizes.stream().sorted().distinct().toList();
    }

    private static List<Path> exampleTasks() throws IOException {
        Path folder = Path.of(System.getProperty("tributary.home", "."), "examples", "tasks");
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(Files::isDirectory).sorted().toList();
        }
    }

    private SequencedMap<String, ComparedTask> compared(List<Path> folders, Path model) {
        SequencedMap<String, ComparedTask> compared = new TreeMap<>();
        Map<Split, Integer> limits =
                Map.of(Split.TEST, testItems, Split.VALIDATION, validationItems);
        for (Path folder : folders) {
            TaskDefinition task = TaskDefinition.read(folder);
            compared.put(task.name(), new ComparedTask(task, expert(task, model), limits));
        }
        return compared;
    }

    private Path expert(TaskDefinition task, Path model) {
        String name =
                "%s-%s-%d-%d".formatted(task.name(), model.getFileName(), epochs, maxExamples);
        if (learningRate != null) {
            name += "-" + learningRate;
        }
        if (trainEmbeddings) {
            name += "-embeddings";
        }
        Path folder = out.resolve("experts").resolve(name);
        if (Files.isDirectory(folder)) {
            return folder;
        }
        String label = "fine-tuning " + task.name();
        FineTuning tuning =
                FineTuning.defaults()
                        .withEpochs(epochs)
                        .withMaxExamples(maxExamples)
                        .withFrozenEmbeddings(!trainEmbeddings);
        if (learningRate != null) {
            tuning = tuning.withLearningRates(learningRate, tuning.headLearningRate());
        }
        new FineTuner(
                        tuning,
                        at ->
                                terminal.progress(
                                        label,
                                        String.format(
                                                Locale.ROOT,
                                                "epoch %d, loss %.3f",
                                                at.epoch(),
                                                at.loss()),
                                        at.step(),
                                        at.steps()))
                .run(model, task, folder);
        terminal.forget(label);
        return folder;
    }
}
