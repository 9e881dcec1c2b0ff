package dev.tributary.cli.demo;

import dev.tributary.cli.demo.ScoredGeneration.Method;
import dev.tributary.cli.demo.ScoredGeneration.TaskScores;
import dev.tributary.events.GenerationMember;
import dev.tributary.events.GenerationMerged;
import dev.tributary.merging.Member;
import dev.tributary.merging.MergePlanner;
import dev.tributary.merging.MergedModel;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.models.Example;
import dev.tributary.models.Scorer;
import dev.tributary.models.Split;
import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FolderArtifactStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.DoubleSupplier;

/// Scores generations on test data, beside the same experts merged by other methods.
///
/// The workers never see this split: the optimiser calibrates on training inputs without labels,
/// the verdict is on validation data. Scores are kept by content, so that nothing is computed
/// twice.
final class TestScores implements AutoCloseable {
    private final FolderArtifactStore store;
    private final Path cache;
    private final Map<String, Scorer> scorers = new HashMap<>();

    /// @param cache a folder for scores that are known already
    /// @param items test examples of each task, at most
    TestScores(Path storeFolder, Path cache, Path base, List<TaskDefinition> tasks, int items) {
        this.store = FolderArtifactStore.open(storeFolder);
        this.cache = cache;
        for (TaskDefinition task : tasks) {
            List<Example> some = task.sample(Split.TEST, items);
            scorers.put(task.name(), Scorer.open(task, some, base));
        }
    }

    ScoredGeneration score(GenerationMerged merged, boolean damaged) {
        List<Checkpoint> opened = new ArrayList<>();
        try {
            Checkpoint base = open(merged.getBase(), opened);
            List<Member> members = new ArrayList<>();
            for (GenerationMember member : merged.getMembers()) {
                members.add(
                        new Member(
                                member.getTask(),
                                open(member.getCheckpoint(), opened),
                                new Digest(member.getCheckpoint().getDigest()),
                                null));
            }
            return score(merged, damaged, base, members);
        } finally {
            opened.forEach(Checkpoint::close);
        }
    }

    private ScoredGeneration score(
            GenerationMerged merged, boolean damaged, Checkpoint base, List<Member> members) {
        Map<String, Map<Method, Double>> byTask = new HashMap<>();
        Map<String, Double> baseScores = new HashMap<>();
        Map<Method, MergeMethod> inMemory = new EnumMap<>(Method.class);
        inMemory.put(Method.TASK_ARITHMETIC, MergeMethod.of("task_arithmetic", Map.of()));
        inMemory.put(Method.TIES, MergeMethod.of("ties", Map.of()));
        MergeMethod none = MergeMethod.of("task_arithmetic", Map.of("lambda", "0"));
        inMemory.forEach((method, how) ->
                scoreMerge(base, members, how)
                        .forEach((task, score) -> put(byTask, task, method, score)));
        for (Member member : members) {
            baseScores.putAll(scoreMerge(base, List.of(member), none));
        }
        Path artifact = open(merged.getArtifact());
        SequencedMap<String, TaskScores> scores = new LinkedHashMap<>();
        Map<String, List<Double>> coefficients = new LinkedHashMap<>();
        for (GenerationMember member : merged.getMembers()) {
            String task = member.getTask();
            Path view = artifact.resolve("tasks").resolve(task);
            double own = checkpoint(merged.getArtifact().getDigest() + "/" + task, view, task);
            put(byTask, task, Method.DIVMERGE, own);
            double expert =
                    checkpoint(
                            member.getCheckpoint().getDigest(), open(member.getCheckpoint()), task);
            scores.put(
                    task,
                    new TaskScores(
                            baseScores.getOrDefault(task, Double.NaN),
                            expert,
                            byTask.getOrDefault(task, Map.of())));
            coefficients.put(task, List.copyOf(member.getCoefficients()));
        }
        return new ScoredGeneration(
                merged.getNumber(),
                List.copyOf(scores.keySet()),
                damaged,
                merged.getSeconds(),
                merged.getReusedArtifact(),
                scores,
                coefficients,
                List.copyOf(merged.getGroups()));
    }

    private Map<String, Double> scoreMerge(
            Checkpoint base, List<Member> members, MergeMethod method) {
        StringBuilder identity = new StringBuilder(method.id()).append(method.options());
        members.forEach(member -> identity.append(member.task()).append(member.digest().value()));
        Map<String, Double> scores = new HashMap<>();
        try (Lazily<MergedModel> merged =
                new Lazily<>(
                        () -> MergedModel.of(MergePlanner.plan(base, members, method), null))) {
            for (Member member : members) {
                String task = member.task();
                scores.put(
                        task,
                        cached(
                                identity + "/" + task,
                                task,
                                () -> {
                                    MergedModel model = merged.get();
                                    return scorer(task)
                                            .score(model.model(), model.head(task))
                                            .value();
                                }));
            }
        }
        return scores;
    }

    private double checkpoint(String identity, Path directory, String task) {
        return cached(
                identity,
                task,
                () -> {
                    try (Checkpoint checkpoint = Checkpoint.open(directory);
                            var model = dev.tributary.models.RunningModel.open(checkpoint)) {
                        return scorer(task).score(model, null).value();
                    }
                });
    }

    private double cached(String identity, String task, DoubleSupplier compute) {
        String key = Digest.ofText(identity + "#" + scorer(task).items()).hex();
        Path file = cache.resolve(key);
        try {
            if (Files.isRegularFile(file)) {
                return Double.parseDouble(Files.readString(file).strip());
            }
            double score = compute.getAsDouble();
            Files.createDirectories(cache);
            Path aside = cache.resolve(key + ".new");
            Files.writeString(aside, Double.toString(score));
            Files.move(aside, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            return score;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot use " + file, e);
        }
    }

    private Scorer scorer(String task) {
        Scorer scorer = scorers.get(task);
        if (scorer == null) {
            throw new IllegalStateException("no test data for task " + task);
        }
        return scorer;
    }

    private Checkpoint open(
            dev.tributary.events.ArtifactReference reference, List<Checkpoint> opened) {
        Checkpoint checkpoint = Checkpoint.open(open(reference));
        opened.add(checkpoint);
        return checkpoint;
    }

    private Path open(dev.tributary.events.ArtifactReference reference) {
        return store.open(
                new ArtifactReference(
                        reference.getUri(),
                        new Digest(reference.getDigest()),
                        reference.getBytes()));
    }

    private static void put(
            Map<String, Map<Method, Double>> byTask, String task, Method method, double score) {
        byTask.computeIfAbsent(task, _ -> new EnumMap<>(Method.class)).put(method, score);
    }

    @Override
    public void close() {
        scorers.values().forEach(Scorer::close);
        store.close();
    }
}
