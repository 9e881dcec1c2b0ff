package dev.tributary.eval.tally;

import dev.tributary.eval.tally.Consequence.AlertChanged;
import dev.tributary.eval.tally.Consequence.Judged;
import dev.tributary.eval.tally.Consequence.Promoted;
import dev.tributary.eval.tally.Consequence.ScoreWanted;
import dev.tributary.eval.tally.Generation.Member;
import dev.tributary.eval.verdict.Alerts;
import dev.tributary.eval.verdict.Judgement;
import dev.tributary.eval.verdict.RegressionPolicy;
import dev.tributary.eval.verdict.TaskResult;
import dev.tributary.eval.verdict.TaskResult.Failed;
import dev.tributary.eval.verdict.Verdict;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/// Decides what follows from each record of a pool: the tally after it, and what the world is to be
/// told. Every record may come twice, late, or before the one it belongs to.
///
/// @param defaultPolicy judges pools that have no policy of their own
record Tallying(RegressionPolicy defaultPolicy) {

    private static final String NO_RESULT = "EVALUATION_FAILED";

    /// The tally after a record, and what follows.
    record Step(PoolTally tally, List<Consequence> consequences) {

        Step {
            consequences = List.copyOf(consequences);
        }

        static Step silent(PoolTally tally) {
            return new Step(tally, List.of());
        }

        Step then(Step next) {
            List<Consequence> both = new ArrayList<>(consequences);
            both.addAll(next.consequences);
            return new Step(next.tally, both);
        }
    }

    /// The pool is to be judged differently from now on.
    Step configured(PoolTally tally, RegressionPolicy policy) {
        return Step.silent(tally.withPolicy(policy));
    }

    /// A generation is there: asks for the scores it lacks.
    Step merged(PoolTally tally, Generation generation) {
        OpenGeneration known = tally.open().get(generation.number());
        boolean seen = known != null && known.generation().isPresent();
        if (seen || tally.isOver(generation.number())) {
            return Step.silent(tally);
        }
        OpenGeneration open =
                known != null && known.id().equals(generation.id())
                        ? known.with(generation)
                        : OpenGeneration.of(generation);
        List<Consequence> wanted = new ArrayList<>();
        for (Member member : open.missing()) {
            wanted.add(new ScoreWanted(generation, member));
        }
        Step step = new Step(tally.withOpen(generation.number(), open), wanted);
        step = step.then(judgeIfComplete(step.tally, open));
        return step.then(giveUpOldest(step.tally));
    }

    /// A result of a generation has arrived.
    Step scored(PoolTally tally, long number, String generationId, TaskResult result) {
        if (tally.isOver(number)) {
            return Step.silent(tally);
        }
        OpenGeneration before =
                tally.open().getOrDefault(number, OpenGeneration.early(generationId));
        if (!before.id().equals(generationId)) {
            return Step.silent(tally);
        }
        OpenGeneration open = before.with(result);
        Step step = Step.silent(tally.withOpen(number, open));
        step = step.then(judgeIfComplete(step.tally, open));
        return step.then(giveUpOldest(step.tally));
    }

    /// Somebody has made a generation the champion by hand, possibly an older one.
    Step promotedByHand(PoolTally tally, long number, String generationId) {
        JudgedGeneration known = tally.judged().get(number);
        if (known != null) {
            return Step.silent(tally.withChampion(known));
        }
        List<TaskResult> unknown = new ArrayList<>();
        tally.newest()
                .ifPresent(newest ->
                        newest.results()
                                .forEach(result -> unknown.add(noLongerKept(result.task()))));
        return Step.silent(
                tally.withChampion(
                        new JudgedGeneration(
                                number,
                                generationId,
                                unknown,
                                java.util.OptionalDouble.empty(),
                                Verdict.INCONCLUSIVE)));
    }

    private static Failed noLongerKept(String task) {
        return new Failed(
                task,
                NO_RESULT,
                "promoted by hand, and its scores are not among the newest %d that are kept"
                        .formatted(PoolTally.KEPT));
    }

    private Step judgeIfComplete(PoolTally tally, OpenGeneration open) {
        return open.complete() ? judge(tally, open) : Step.silent(tally);
    }

    /// Too many generations wait for results that do not come: the oldest is judged as it stands.
    private Step giveUpOldest(PoolTally tally) {
        if (tally.open().size() <= PoolTally.KEPT) {
            return Step.silent(tally);
        }
        long oldest = tally.open().firstKey();
        OpenGeneration open = tally.open().get(oldest);
        return open == null || open.generation().isEmpty()
                ? Step.silent(tally.withoutOpen(oldest))
                : judge(tally, open);
    }

    private Step judge(PoolTally tally, OpenGeneration open) {
        Generation generation = open.generation().orElseThrow();
        Map<String, TaskResult> champion =
                tally.champion().map(JudgedGeneration::byTask).orElse(Map.of());
        OptionalLong championNumber = number(tally.champion());
        List<TaskResult> results =
                open.allResults(
                        NO_RESULT,
                        "no result came while %d newer generations waited"
                                .formatted(PoolTally.KEPT));
        Judgement judgement = tally.policy().orElse(defaultPolicy).judge(results, champion);
        JudgedGeneration judged =
                new JudgedGeneration(
                        generation.number(),
                        generation.id(),
                        results,
                        judgement.anp(),
                        judgement.verdict());
        Step step =
                new Step(
                        tally.withoutOpen(generation.number()).withJudged(judged),
                        List.of(new Judged(generation, judgement, championNumber)));
        if (judgement.verdict() == Verdict.PASS && generation.number() > championNumber.orElse(0)) {
            step =
                    step.then(
                            new Step(
                                    step.tally.withChampion(judged),
                                    List.of(
                                            new Promoted(
                                                    generation,
                                                    championNumber,
                                                    judgement.first()))));
        }
        boolean newest =
                tally.newest().map(before -> before.number() < generation.number()).orElse(true);
        return newest ? step.then(alert(step.tally, generation, judgement, championNumber)) : step;
    }

    private static Step alert(
            PoolTally tally,
            Generation generation,
            Judgement judgement,
            OptionalLong championNumber) {
        Set<String> firing = new HashSet<>(tally.firing());
        List<Consequence> changes = new ArrayList<>();
        for (Alerts.Change change : Alerts.changes(firing, judgement)) {
            changes.add(new AlertChanged(generation, change, judgement, championNumber));
            if (change.firing()) {
                firing.add(change.task());
            } else {
                firing.remove(change.task());
            }
        }
        return new Step(tally.withFiring(firing), changes);
    }

    private static OptionalLong number(Optional<JudgedGeneration> champion) {
        return champion.isPresent()
                ? OptionalLong.of(champion.get().number())
                : OptionalLong.empty();
    }
}
