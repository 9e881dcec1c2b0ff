package dev.tributary.merge;

import dev.tributary.merging.Coefficients;
import dev.tributary.merging.MergeAssistant;
import dev.tributary.merging.MergeRequest;
import dev.tributary.merging.MergeResult;
import dev.tributary.merging.PoolMerger;
import dev.tributary.merging.Provenance;
import dev.tributary.merging.PublishedLineage;
import dev.tributary.merging.method.Granularity;
import dev.tributary.merging.method.LearnsCoefficients;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.models.NativeHeap;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.ArtifactStore;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.Staging;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Merges the experts of a wish into an artifact of the store. The artifact is complete and in its
/// place before anybody hears of it; one that is there already, from a worker that died before it
/// could tell or from another pool that wished the same, is used as it is.
final class ExpertMerger implements GenerationMaker {
    /// Room for what is not weights: tokenizers, heads, lineage.
    private static final long EXTRA_BYTES = 32L << 20;

    private final ArtifactStore store;
    private final Path cache;
    private final @Nullable GradientChannel channel;

    /// @param cache where what can be computed again is kept between merges
    /// @param channel where idle workers can be asked for shares of a merge; null to ask nobody
    ExpertMerger(ArtifactStore store, Path cache, @Nullable GradientChannel channel) {
        this.store = store;
        this.cache = cache;
        this.channel = channel;
    }

    @Override
    public MergedGeneration make(Wish wish, @Nullable LastGeneration last, Progress progress) {
        long began = System.nanoTime();
        if (store.exists(wish.storePath())) {
            return found(wish, last, began);
        }
        try (Staging staging = store.stage(wish.base().bytes() + EXTRA_BYTES)) {
            MergeResult result = merge(wish, request(wish, last, staging.directory()), progress);
            progress.update("publishing", 0, 1);
            ArtifactReference artifact = store.publish(staging, wish.storePath());
            return merged(wish, last, artifact, result, seconds(began));
        } catch (RefusedException e) {
            boolean anotherWasFaster =
                    e.faults().getFirst().code() == FailureCode.DIGEST_MISMATCH
                            && store.exists(wish.storePath());
            if (anotherWasFaster) {
                return found(wish, last, began);
            }
            throw e;
        } finally {
            NativeHeap.giveBack();
        }
    }

    /// With the help of others where the method has shares to give away.
    private MergeResult merge(Wish wish, MergeRequest request, Progress progress) {
        GradientChannel open = channel;
        boolean sharesOut =
                wish.members().size() > 1
                        && wish.method()
                                .as(LearnsCoefficients.class)
                                .filter(method -> method.descent().shares() > 1)
                                .isPresent();
        if (open == null || !sharesOut) {
            return PoolMerger.merge(request, progress);
        }
        try (GradientRequests colleagues = new GradientRequests(wish, open)) {
            return PoolMerger.merge(request, colleagues, progress);
        }
    }

    /// Gets ready to compute shares of a merge that another worker carries out.
    MergeAssistant assist(
            String pool, ArtifactReference base, MergeMethod method, List<Wish.Member> members) {
        return PoolMerger.assist(
                new MergeRequest(
                        store.open(base),
                        base.digest(),
                        requested(members),
                        method,
                        null,
                        null,
                        Provenance.ofPool(pool, 1, base.uri(), null, Map.of()),
                        cache,
                        cache),
                Progress.SILENT);
    }

    private List<MergeRequest.RequestedMember> requested(List<Wish.Member> members) {
        List<MergeRequest.RequestedMember> requested = new ArrayList<>();
        for (Wish.Member member : members) {
            AcceptedCheckpoint accepted = member.accepted();
            requested.add(
                    new MergeRequest.RequestedMember(
                            member.task(),
                            store.open(accepted.checkpoint()),
                            accepted.checkpoint().digest(),
                            store.open(accepted.taskDefinition())));
        }
        return requested;
    }

    private MergeRequest request(Wish wish, @Nullable LastGeneration last, Path target) {
        Map<String, String> eventIds = new TreeMap<>();
        wish.members().forEach(member -> eventIds.put(member.task(), member.accepted().eventId()));
        Coefficients known =
                last == null || wish.method().as(LearnsCoefficients.class).isEmpty()
                        ? null
                        : coefficients(last);
        Coefficients start = known != null && known.isStartFor(eventIds.keySet()) ? known : null;
        return new MergeRequest(
                store.open(wish.base()),
                wish.base().digest(),
                requested(wish.members()),
                wish.method(),
                start,
                null,
                Provenance.ofPool(
                        wish.pool(),
                        number(last),
                        wish.base().uri(),
                        last == null || start == null ? null : last.id().value(),
                        eventIds),
                cache,
                target);
    }

    private static MergedGeneration merged(
            Wish wish,
            @Nullable LastGeneration last,
            ArtifactReference artifact,
            MergeResult result,
            double seconds) {
        var optimised = result.learnt();
        Coefficients told = told(result.coefficients());
        return new MergedGeneration(
                wish,
                number(last),
                artifact,
                told == null ? List.of() : told.groups(),
                parts(wish, told, result.taskVectorNorms()),
                optimised == null ? null : optimised.meanBefore(),
                optimised == null ? null : optimised.meanAfter(),
                optimised == null ? 0 : optimised.steps(),
                seconds,
                false);
    }

    private MergedGeneration found(Wish wish, @Nullable LastGeneration last, long began) {
        ArtifactReference artifact = store.referenceTo(wish.storePath());
        PublishedLineage lineage = PublishedLineage.read(store.open(artifact));
        if (!lineage.id().equals(wish.id().value())) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.DIGEST_MISMATCH,
                            wish.storePath(),
                            "is of request %s, expected %s: remove the folder, it is made anew"
                                    .formatted(lineage.id(), wish.id())));
        }
        Coefficients told = told(lineage.coefficients());
        return new MergedGeneration(
                wish,
                number(last),
                artifact,
                told == null ? List.of() : told.groups(),
                parts(wish, told, Map.of()),
                lineage.lossBefore(),
                lineage.lossAfter(),
                lineage.steps(),
                seconds(began),
                true);
    }

    /// What events and the pool's state say of the coefficients: nothing where there is one for
    /// every tensor, since events have to stay small. The artifact's lineage has them.
    private static @Nullable Coefficients told(@Nullable Coefficients learnt) {
        return learnt == null || learnt.granularity() == Granularity.TENSOR ? null : learnt;
    }

    private static List<MergedGeneration.Part> parts(
            Wish wish, @Nullable Coefficients told, Map<String, Double> norms) {
        return wish.members().stream()
                .map(member ->
                        new MergedGeneration.Part(
                                member,
                                norms.get(member.task()),
                                told == null ? List.of() : told.of(member.task())))
                .toList();
    }

    /// What the last generation learnt, to start from, as its artifact says. Where the artifact is
    /// gone, what the pool remembers, one number for each layer group; null when nothing is known.
    private @Nullable Coefficients coefficients(LastGeneration last) {
        if (store.exists(last.artifact().path())) {
            return PublishedLineage.read(store.open(last.artifact())).coefficients();
        }
        if (last.groups().isEmpty()) {
            return null;
        }
        return new Coefficients(
                Granularity.LAYER,
                last.members().stream().map(LastGeneration.Member::task).toList(),
                last.groups(),
                last.members().stream().flatMap(m -> m.coefficients().stream()).toList());
    }

    private static long number(@Nullable LastGeneration last) {
        return last == null ? 1 : last.number() + 1;
    }

    private static double seconds(long began) {
        return (System.nanoTime() - began) / 1e9;
    }
}
