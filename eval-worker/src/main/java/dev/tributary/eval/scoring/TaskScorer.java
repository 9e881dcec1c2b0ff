package dev.tributary.eval.scoring;

import dev.tributary.eval.verdict.CorrectItems;
import dev.tributary.eval.verdict.TaskResult.Scored;
import dev.tributary.models.Divergences;
import dev.tributary.models.Example;
import dev.tributary.models.GeneratedTexts;
import dev.tributary.models.NativeHeap;
import dev.tributary.models.RunningModel;
import dev.tributary.models.Scorer;
import dev.tributary.models.Scores;
import dev.tributary.models.Split;
import dev.tributary.models.TaskDefinition;
import dev.tributary.models.TaskKind;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.ArtifactStore;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/// Scores a generation on one task, beside the task's own expert, on the validation items and on
/// nothing else.
final class TaskScorer {

    private static final int STAGES = 3;
    private static final String TASKS = "tasks";

    private final ArtifactStore store;
    private final ScoreCache cache;

    TaskScorer(ArtifactStore store, ScoreCache cache) {
        this.store = store;
        this.cache = cache;
    }

    /// @throws RefusedException when an artifact or the task cannot be used
    Scored score(ScoringRequest request, Progress progress) {
        progress.update("opening", 0, STAGES);
        store.verify(request.taskDefinition());
        TaskDefinition definition = TaskDefinition.readStaged(store.open(request.taskDefinition()));
        requireSameTask(request, definition);
        Digest items = Digest.of(Objects.requireNonNull(definition.files().get(Split.VALIDATION)));
        ScoreCache.Key key =
                new ScoreCache.Key(
                        request.expert().digest(),
                        request.base() == null ? null : request.base().digest(),
                        request.subject().generationId(),
                        items,
                        definition);
        Optional<Scored> known = cache.result(key);
        if (known.isPresent()) {
            return known.get();
        }
        try {
            Scored scored =
                    definition.kind() == TaskKind.GENERATION
                            ? texts(request, definition, key, progress)
                            : labels(request, definition, key, progress);
            cache.keep(key, scored);
            progress.update("done", STAGES, STAGES);
            return scored;
        } finally {
            NativeHeap.giveBack();
        }
    }

    private Scored labels(
            ScoringRequest request,
            TaskDefinition definition,
            ScoreCache.Key key,
            Progress progress) {
        List<Example> examples = definition.examples(Split.VALIDATION);
        int[] expected = definition.labelIds(examples);
        Path view = view(request);
        ModelOutputs expert;
        ModelOutputs merged;
        try (Scorer scorer = Scorer.open(definition, examples, view);
                Checkpoint checkpoint = Checkpoint.open(view)) {
            progress.update("expert", 1, STAGES);
            expert = expert(request, key, scorer);
            progress.update("generation", 2, STAGES);
            merged = outputs(checkpoint, definition, scorer);
        }
        return new Scored(
                definition.name(),
                definition.metric().id(),
                metric(definition, merged, expected),
                metric(definition, expert, expected),
                Divergences.meanJensenShannon(
                        merged.logProbabilities(),
                        expert.logProbabilities(),
                        definition.labels().size()),
                key.items().value(),
                CorrectItems.of(merged.predicted(), expected));
    }

    /// The generation answers for itself, and is asked what it would have said at every token of
    /// the expert's answers.
    private Scored texts(
            ScoringRequest request,
            TaskDefinition definition,
            ScoreCache.Key key,
            Progress progress) {
        List<Example> examples = definition.examples(Split.VALIDATION);
        Path view = view(request);
        try (Scorer scorer = Scorer.open(definition, examples, view)) {
            progress.update("expert", 1, STAGES);
            GeneratedTexts expert = texts(request, key, scorer);
            progress.update("generation", 2, STAGES);
            try (Checkpoint checkpoint = Checkpoint.open(view);
                    RunningModel model = RunningModel.open(checkpoint)) {
                Scores merged = scorer.score(model, null);
                double interference = expert.meanJensenShannon(model, scorer);
                if (!Double.isFinite(interference) || !Double.isFinite(merged.value())) {
                    throw new RefusedException(
                            new Fault(
                                    FailureCode.NON_FINITE,
                                    view.toString(),
                                    "puts out NaN or infinity on validation items, expected numbers: are its weights finite?"));
                }
                return new Scored(
                        definition.name(),
                        definition.metric().id(),
                        merged.value(),
                        expert.value(),
                        interference,
                        key.items().value(),
                        CorrectItems.of(merged.items(), merged::right));
            }
        }
    }

    private GeneratedTexts texts(ScoringRequest request, ScoreCache.Key key, Scorer scorer) {
        Optional<GeneratedTexts> known = cache.texts(key);
        if (known.isPresent()) {
            return known.get();
        }
        GeneratedTexts texts =
                ofExpert(
                        request,
                        checkpoint -> {
                            try (RunningModel model = RunningModel.open(checkpoint)) {
                                return GeneratedTexts.of(model, scorer);
                            }
                        });
        cache.keep(key, texts);
        return texts;
    }

    private ModelOutputs expert(ScoringRequest request, ScoreCache.Key key, Scorer scorer) {
        Optional<ModelOutputs> known = cache.expert(key);
        if (known.isPresent()) {
            return known.get();
        }
        ModelOutputs outputs =
                ofExpert(request, checkpoint -> outputs(checkpoint, key.task(), scorer));
        cache.keep(key, outputs);
        return outputs;
    }

    private static ModelOutputs outputs(
            Checkpoint checkpoint, TaskDefinition definition, Scorer scorer) {
        String where = checkpoint.directory().toString();
        try (RunningModel model = RunningModel.open(checkpoint)) {
            List<Fault> faults = definition.labelFaults(model.config(), where);
            if (!faults.isEmpty()) {
                throw new RefusedException(faults);
            }
            ModelOutputs outputs = ModelOutputs.of(scorer.score(model, null));
            int odd = outputs.firstNonFinite();
            if (odd >= 0) {
                throw new RefusedException(
                        new Fault(
                                FailureCode.NON_FINITE,
                                where,
                                "puts out NaN or infinity on validation item %d, expected numbers: are its weights finite?"
                                        .formatted(odd)));
            }
            return outputs;
        }
    }

    /// Opens an expert, on its base where it is an adapter.
    private <T> T ofExpert(ScoringRequest request, Function<Checkpoint, T> use) {
        Path folder = openSameSize(request.expert());
        ArtifactReference base = request.base();
        if (base == null || !Checkpoint.isAdapter(folder)) {
            try (Checkpoint whole = Checkpoint.open(folder)) {
                return use.apply(whole);
            }
        }
        try (Checkpoint below = Checkpoint.open(openSameSize(base));
                Checkpoint adapted = Checkpoint.openAdapter(folder, below)) {
            return use.apply(adapted);
        }
    }

    private static double metric(TaskDefinition definition, ModelOutputs outputs, int[] expected) {
        return definition.labelMetric().score(outputs.predicted(), expected, outputs.classes());
    }

    private static void requireSameTask(ScoringRequest request, TaskDefinition definition) {
        if (!definition.name().equals(request.subject().task())) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.BAD_TASK,
                            request.taskDefinition().uri(),
                            "defines task '%s', expected '%s': published under the wrong task?"
                                    .formatted(definition.name(), request.subject().task())));
        }
    }

    /// The task's folder of the merged model; the merged model itself where it has none because
    /// nothing is the task's own.
    private Path view(ScoringRequest request) {
        Path artifact = openSameSize(request.artifact());
        Path view = artifact.resolve(request.taskPath()).normalize();
        if (!view.startsWith(artifact) || view.equals(artifact)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.UNSAFE_PATH,
                            request.taskPath(),
                            "leads out of the generation, expected a folder inside it"));
        }
        if (!Files.exists(artifact.resolve(TASKS), LinkOption.NOFOLLOW_LINKS)) {
            return artifact;
        }
        try {
            if (Files.isDirectory(view, LinkOption.NOFOLLOW_LINKS)
                    && !view.toRealPath().equals(view)) {
                throw new RefusedException(
                        new Fault(
                                FailureCode.UNSAFE_PATH,
                                request.taskPath(),
                                "leads through a symbolic link, expected folders only"));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot resolve %s".formatted(view), e);
        }
        return view;
    }

    /// The artifact's folder, if its files have the size the reference says: cheap, and enough to
    /// see a copy that is not complete. The digest itself was checked when it was published.
    private Path openSameSize(ArtifactReference reference) {
        Path folder = store.open(reference);
        long bytes = 0;
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                bytes += Files.size(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list %s".formatted(folder), e);
        }
        if (bytes != reference.bytes()) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.DIGEST_MISMATCH,
                            reference.uri(),
                            "has %d bytes, expected %d: not copied completely, or changed after publication?"
                                    .formatted(bytes, reference.bytes())));
        }
        return folder;
    }
}
