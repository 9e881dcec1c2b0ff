package dev.tributary.eval.tally;

import dev.tributary.eval.tally.Consequence.AlertChanged;
import dev.tributary.eval.tally.Consequence.Judged;
import dev.tributary.eval.tally.Consequence.Promoted;
import dev.tributary.eval.tally.Consequence.ScoreWanted;
import dev.tributary.eval.tally.Generation.Member;
import dev.tributary.eval.verdict.Alerts;
import dev.tributary.eval.verdict.Judgement;
import dev.tributary.eval.verdict.Judgement.Pooled;
import dev.tributary.eval.verdict.TaskComparison.Compared;
import dev.tributary.eval.verdict.TaskResult.Failed;
import dev.tributary.eval.verdict.TaskResult.Scored;
import dev.tributary.events.AlertState;
import dev.tributary.events.ArtifactReference;
import dev.tributary.events.EvaluationRequested;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.PooledComparison;
import dev.tributary.events.PromotionReason;
import dev.tributary.events.RegressionAlert;
import dev.tributary.events.TaskComparison;
import dev.tributary.events.Verdict;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.ToDoubleFunction;
import org.apache.avro.specific.SpecificRecordBase;
import org.jspecify.annotations.Nullable;

/// Words the consequences of a record as events.
final class TallyEvents {

    /// Id of the rule behind an alert of one task.
    static final String TASK_RULE = "task-regressed";

    /// Id of the rule behind the alert of a pool as a whole.
    static final String POOL_RULE = "pool-regressed";

    private TallyEvents() {}

    static SpecificRecordBase event(Consequence consequence, Instant now) {
        return switch (consequence) {
            case ScoreWanted wanted -> requested(wanted, now);
            case Judged judged -> evaluated(judged, now);
            case Promoted promoted -> promoted(promoted, now);
            case AlertChanged changed -> alert(changed, now);
        };
    }

    private static EvaluationRequested requested(ScoreWanted wanted, Instant now) {
        Generation generation = wanted.generation();
        Member member = wanted.member();
        Reference base = generation.base();
        return EvaluationRequested.newBuilder()
                .setPool(generation.pool())
                .setNumber(generation.number())
                .setGenerationId(generation.id())
                .setTask(member.task())
                .setArtifact(reference(generation.artifact()))
                .setTaskPath("tasks/" + member.task())
                .setExpert(reference(member.expert()))
                .setTaskDefinition(reference(member.taskDefinition()))
                .setBase(base == null ? null : reference(base))
                .setRequestedAt(now)
                .build();
    }

    private static GenerationEvaluated evaluated(Judged judged, Instant now) {
        Generation generation = judged.generation();
        Judgement judgement = judged.judgement();
        return GenerationEvaluated.newBuilder()
                .setPool(generation.pool())
                .setNumber(generation.number())
                .setGenerationId(generation.id())
                .setVerdict(Verdict.valueOf(judgement.verdict().name()))
                .setAnp(boxed(judgement.anp()))
                .setTasks(judgement.tasks().stream().map(TallyEvents::comparison).toList())
                .setPooled(judgement.pooled().map(TallyEvents::pooled).orElse(null))
                .setChampionNumber(boxed(judged.championNumber()))
                .setSentence(
                        "Generation %d %s".formatted(generation.number(), judgement.sentence()))
                .setEvaluatedAt(now)
                .build();
    }

    private static GenerationPromoted promoted(Promoted promoted, Instant now) {
        Generation generation = promoted.generation();
        return GenerationPromoted.newBuilder()
                .setPool(generation.pool())
                .setNumber(generation.number())
                .setGenerationId(generation.id())
                .setArtifact(reference(generation.artifact()))
                .setPreviousNumber(boxed(promoted.previousNumber()))
                .setReason(promoted.first() ? PromotionReason.FIRST : PromotionReason.PASS)
                .setPromotedAt(now)
                .build();
    }

    private static RegressionAlert alert(AlertChanged changed, Instant now) {
        Generation generation = changed.generation();
        Alerts.Change change = changed.change();
        boolean whole = change.task().equals(Alerts.POOL);
        String rule = whole ? POOL_RULE : TASK_RULE;
        List<dev.tributary.eval.verdict.TaskComparison> concerned =
                changed.judgement().tasks().stream()
                        .filter(task -> whole || task.task().equals(change.task()))
                        .toList();
        return RegressionAlert.newBuilder()
                .setAlertId(alertId(generation.pool(), change.task(), rule))
                .setPool(generation.pool())
                .setTask(whole ? null : change.task())
                .setRule(rule)
                .setState(change.firing() ? AlertState.FIRING : AlertState.RESOLVED)
                .setNumber(generation.number())
                .setChampionNumber(boxed(changed.championNumber()))
                .setSentence(change.sentence())
                .setScore(
                        mean(
                                concerned.stream()
                                        .map(dev.tributary.eval.verdict.TaskComparison::result)
                                        .filter(Scored.class::isInstance)
                                        .map(Scored.class::cast)
                                        .toList(),
                                Scored::score))
                .setChampionScore(mean(compared(concerned), Compared::championScore))
                .setPValue(
                        whole
                                ? changed.judgement().pooled().map(Pooled::pValue).orElse(null)
                                : mean(compared(concerned), Compared::adjustedPValue))
                .setRaisedAt(now)
                .build();
    }

    private static List<Compared> compared(List<dev.tributary.eval.verdict.TaskComparison> tasks) {
        return tasks.stream()
                .map(dev.tributary.eval.verdict.TaskComparison::standing)
                .filter(Compared.class::isInstance)
                .map(Compared.class::cast)
                .toList();
    }

    private static TaskComparison comparison(dev.tributary.eval.verdict.TaskComparison task) {
        TaskComparison.Builder event =
                TaskComparison.newBuilder().setTask(task.task()).setRegressed(task.regressed());
        switch (task.result()) {
            case Scored scored ->
                    event.setMetric(scored.metric())
                            .setItems(scored.items())
                            .setScore(scored.score())
                            .setExpertScore(scored.expertScore())
                            .setRetention(boxed(scored.retention()))
                            .setInterference(scored.interference());
            case Failed failed -> event.setMetric("").setItems(0).setFailureCode(failed.code());
        }
        if (task.standing() instanceof Compared compared
                && task.result() instanceof Scored scored) {
            event.setChampionScore(compared.championScore())
                    .setDelta(scored.score() - compared.championScore())
                    .setLost(compared.outcome().lost())
                    .setGained(compared.outcome().gained())
                    .setPValue(compared.pValue())
                    .setAdjustedPValue(compared.adjustedPValue())
                    .setSmallestDetectableDrop(compared.smallestDetectableDrop());
        }
        return event.build();
    }

    private static PooledComparison pooled(Pooled pooled) {
        return PooledComparison.newBuilder()
                .setItems(pooled.outcome().items())
                .setLost(pooled.outcome().lost())
                .setGained(pooled.outcome().gained())
                .setPValue(pooled.pValue())
                .setSmallestDetectableDrop(pooled.smallestDetectableDrop())
                .build();
    }

    private static ArtifactReference reference(Reference reference) {
        return new ArtifactReference(reference.uri(), reference.digest(), reference.bytes());
    }

    /// The same for the same pool, task and rule, whatever its state.
    private static String alertId(String pool, String task, String rule) {
        String text = String.join("\n", pool, task, rule);
        return UUID.nameUUIDFromBytes(text.getBytes(StandardCharsets.UTF_8)).toString();
    }

    private static <T> @Nullable Double mean(List<T> values, ToDoubleFunction<T> of) {
        return boxed(values.stream().mapToDouble(of).average());
    }

    private static @Nullable Double boxed(OptionalDouble value) {
        return value.isPresent() ? value.getAsDouble() : null;
    }

    private static @Nullable Long boxed(OptionalLong value) {
        return value.isPresent() ? value.getAsLong() : null;
    }
}
