package dev.tributary.cli.compare;

import dev.tributary.models.Example;
import dev.tributary.models.RunningModel;
import dev.tributary.models.Scorer;
import dev.tributary.models.Scores;
import dev.tributary.models.Split;
import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// One task of a comparison: its expert and the items it is scored on.
final class ComparedTask implements AutoCloseable {
    private final TaskDefinition definition;
    private final Path expert;
    private final Digest digest;
    private final Map<Split, Scorer> scorers = new EnumMap<>(Split.class);
    private final Map<Split, Scores> own = new EnumMap<>(Split.class);

    /// @param limits how many items of each split are scored, at most
    ComparedTask(TaskDefinition definition, Path expert, Map<Split, Integer> limits) {
        this.definition = definition;
        this.expert = expert;
        this.digest = Digest.ofDirectory(expert);
        limits.forEach((split, limit) -> {
            List<Example> some = definition.sample(split, limit);
            scorers.put(split, Scorer.open(definition, some, expert));
        });
    }

    String name() {
        return definition.name();
    }

    TaskDefinition definition() {
        return definition;
    }

    Path expert() {
        return expert;
    }

    Digest digest() {
        return digest;
    }

    /// The score of a checkpoint divided by the expert's own.
    Retention retention(Path checkpoint, Split split) {
        return Retention.of(scores(checkpoint, split), ofExpert(split));
    }

    /// The expert's own score.
    double own(Split split) {
        return ofExpert(split).value();
    }

    private Scores ofExpert(Split split) {
        return own.computeIfAbsent(split, wanted -> scores(expert, wanted));
    }

    private Scores scores(Path folder, Split split) {
        Scorer scorer = scorers.get(split);
        if (scorer == null) {
            throw new IllegalStateException("[%s] no items of %s".formatted(name(), split));
        }
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                RunningModel model = RunningModel.open(checkpoint)) {
            return scorer.score(model, null);
        }
    }

    @Override
    public void close() {
        scorers.values().forEach(Scorer::close);
    }
}
