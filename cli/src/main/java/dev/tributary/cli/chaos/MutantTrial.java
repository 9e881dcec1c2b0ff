package dev.tributary.cli.chaos;

import dev.tributary.cli.chaos.mutant.Mutant;
import dev.tributary.tensors.FaultPoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A bug to put into the workers, the place at which a worker ends for it to show, and what a
/// campaign must find then.
///
/// @param count how often the worker comes by until it ends
record MutantTrial(Mutant mutant, FaultPoint point, int count, Findings.Kind expected) {
    private static final String AGENT = "mutant.jar";
    private static final String LOG = "mutant.log";

    /// One for every bug.
    static List<MutantTrial> all() {
        List<MutantTrial> trials = new ArrayList<>();
        for (Mutant mutant : Mutant.values()) {
            if (mutant != Mutant.SOUND) {
                trials.add(of(mutant));
            }
        }
        return trials;
    }

    static MutantTrial of(Mutant mutant) {
        return switch (mutant) {
            case SOUND,
                    KNOWS_NO_EVENT,
                    COVERS_AGAIN,
                    SENDS_TWICE,
                    READS_OLD_STATES,
                    WRITES_NO_STATES,
                    COUNTS_FROM_ONE,
                    ANSWERS_FOR_EVER ->
                    at(mutant, FaultPoint.ANSWER_COMMITTED, 2, Findings.Kind.DOUBLED);
            case COMMITS_AHEAD -> at(mutant, FaultPoint.MERGE_BEGUN, 4, Findings.Kind.LOST);
            case READS_UNCOMMITTED -> at(mutant, FaultPoint.OFFSET_SENT, 2, Findings.Kind.LOST);
            case COMMITS_NOTHING,
                    MERGES_NOTHING_NEW,
                    SETS_NOTHING_ASIDE,
                    REFUSES_NOTHING,
                    ANSWERS_EVERY_POOL ->
                    at(mutant, FaultPoint.ANSWER_COMMITTED, 2, Findings.Kind.LOST);
            case COMMITS_ZERO, FORGETS_RETIREMENTS, TAKES_THE_OLDEST ->
                    at(mutant, FaultPoint.ANSWER_COMMITTED, 2, Findings.Kind.STALE);
            case COVERS_BACKWARDS ->
                    at(mutant, FaultPoint.ANSWER_COMMITTED, 2, Findings.Kind.REORDERED);
            case MOVES_PIECE_BY_PIECE ->
                    at(mutant, FaultPoint.ANSWER_COMMITTED, 2, Findings.Kind.TORN);
            case WRITES_THE_TIME ->
                    at(mutant, FaultPoint.ANSWER_COMMITTED, 2, Findings.Kind.DIFFERENT);
            case PUBLISHES_NO_SCORE, REACHES_NO_VERDICT ->
                    at(mutant, FaultPoint.TASK_SCORED, 2, Findings.Kind.LOST);
            case JUDGES_TWICE -> at(mutant, FaultPoint.TASK_SCORED, 2, Findings.Kind.DOUBLED);
        };
    }

    private static MutantTrial at(
            Mutant mutant, FaultPoint point, int count, Findings.Kind expected) {
        return new MutantTrial(mutant, point, count, expected);
    }

    /// What to start a worker with.
    ///
    /// @param data the campaign's folder
    String option(Path data) {
        Path agent = data.resolve(AGENT);
        if (!Files.exists(agent)) {
            MutantJar.write(agent);
        }
        return "-javaagent:%s=%s:%s".formatted(agent, mutant, data.resolve(LOG));
    }

    /// Whether a worker has had the bug.
    boolean applied(Path data) {
        try {
            return mutant == Mutant.SOUND
                    || (Files.exists(data.resolve(LOG))
                            && Files.readAllLines(data.resolve(LOG)).contains(mutant.name()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
