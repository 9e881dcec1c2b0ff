package dev.tributary.eval.tally;

import dev.tributary.eval.tally.Generation.Member;
import dev.tributary.eval.verdict.CorrectItems;
import dev.tributary.eval.verdict.RegressionPolicy;
import dev.tributary.eval.verdict.TaskResult;
import dev.tributary.eval.verdict.TaskResult.Failed;
import dev.tributary.eval.verdict.TaskResult.Scored;
import dev.tributary.events.ArtifactReference;
import dev.tributary.events.GenerationMerged;
import dev.tributary.events.TaskEvaluated;
import dev.tributary.events.VerdictPolicy;

/// Turns events into the values this module decides with.
final class TallyRecords {

    private static final String UNUSABLE = "UNDECODABLE_RECORD";

    private TallyRecords() {}

    static Generation generation(GenerationMerged event) {
        return new Generation(
                event.getPool(),
                event.getNumber(),
                event.getGenerationId(),
                reference(event.getArtifact()),
                reference(event.getBase()),
                event.getMembers().stream()
                        .map(member ->
                                new Member(
                                        member.getTask(),
                                        reference(member.getCheckpoint()),
                                        reference(member.getTaskDefinition())))
                        .toList());
    }

    /// A result whose numbers contradict each other counts as a failure.
    static TaskResult result(TaskEvaluated event) {
        String code = event.getFailureCode();
        if (code != null) {
            String sentence = event.getFailureSentence();
            return new Failed(event.getTask(), code, sentence == null ? "" : sentence);
        }
        Double score = event.getScore();
        Double expertScore = event.getExpertScore();
        Double interference = event.getInterference();
        if (score == null || expertScore == null || interference == null) {
            return new Failed(
                    event.getTask(), UNUSABLE, "a result has neither all scores nor a failure");
        }
        try {
            return new Scored(
                    event.getTask(),
                    event.getMetric(),
                    score,
                    expertScore,
                    interference,
                    event.getItemsDigest(),
                    CorrectItems.of(event.getItems(), event.getCorrect()));
        } catch (IllegalArgumentException e) {
            return new Failed(event.getTask(), UNUSABLE, String.valueOf(e.getMessage()));
        }
    }

    /// @throws IllegalArgumentException when the numbers make no policy
    static RegressionPolicy policy(VerdictPolicy policy) {
        return new RegressionPolicy(
                policy.getSignificanceLevel(),
                policy.getToleratedDrop(),
                policy.getLargestDetectableDrop());
    }

    private static Reference reference(ArtifactReference reference) {
        return new Reference(reference.getUri(), reference.getDigest(), reference.getBytes());
    }
}
