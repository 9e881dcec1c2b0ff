package dev.tributary.merge;

import dev.tributary.merging.AdmissionChecker;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.models.CalibrationSet;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.ArtifactStore;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Decides whether an event may change its pool, after looking at everything it refers to: that the
/// bytes are what their digests say, that checkpoints are sound, finite and fit the pool's base,
/// that labels and calibration inputs are there. All faults are told at once.
///
/// What was found whole once is not read again: the store's artifacts never change.
final class Admitter {
    private final ArtifactStore store;
    private final Set<ArtifactReference> soundBases = ConcurrentHashMap.newKeySet();
    private final Set<SoundExpert> soundExperts = ConcurrentHashMap.newKeySet();

    /// A checkpoint that fits a base and a task.
    private record SoundExpert(
            String task,
            ArtifactReference checkpoint,
            ArtifactReference base,
            ArtifactReference definition) {}

    Admitter(ArtifactStore store) {
        this.store = store;
    }

    /// The pool's state with the event in it; unchanged where it is in already, whatever speaks
    /// against it by now.
    ///
    /// @param state null for a pool that is not known yet
    /// @throws RefusedException with every reason why the event must not be let in
    PoolState admit(@Nullable PoolState state, PoolEvent event) {
        if (state != null && state.knows(event)) {
            return state;
        }
        return switch (event) {
            case PoolEvent.Configured configured -> admit(state, configured);
            case PoolEvent.Published published -> admit(configuredPool(state, event), published);
            case PoolEvent.Retired retired -> admit(configuredPool(state, event), retired);
        };
    }

    private PoolState admit(@Nullable PoolState state, PoolEvent.Configured event) {
        PoolState before = state == null ? PoolState.unknown(event.pool()) : state;
        List<Fault> faults = new ArrayList<>();
        collect(faults, () -> refuseLabels(MergeMethod.of(event.method(), event.options())));
        PoolEvent.Configured current = before.configuration();
        if (current != null
                && !current.base().digest().equals(event.base().digest())
                && !before.experts().isEmpty()) {
            faults.add(
                    new Fault(
                            FailureCode.WRONG_BASE,
                            "base",
                            "is %s, but the pool's experts were fine-tuned from %s: configure a new pool for another base"
                                    .formatted(event.base().digest(), current.base().digest())));
        }
        collect(faults, () -> requireSoundBase(event.base()));
        refuse(faults);
        return before.with(event);
    }

    /// A pool's task definitions carry inputs, never labels.
    private static void refuseLabels(MergeMethod method) {
        if (method.needs() == MergeMethod.Needs.LABELS) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.BAD_OPTION,
                            "method",
                            "%s learns from labels by these options, expected labels or trust_region predicted: a pool's inputs have none"
                                    .formatted(method.id())));
        }
    }

    private PoolState admit(PoolState state, PoolEvent.Published event) {
        ArtifactReference base = java.util.Objects.requireNonNull(state.configuration()).base();
        List<Fault> faults = new ArrayList<>();
        if (!event.baseDigest().equals(base.digest())) {
            faults.add(
                    new Fault(
                            FailureCode.WRONG_BASE,
                            "baseDigest",
                            "is %s, expected %s, the base of pool '%s'"
                                    .formatted(event.baseDigest(), base.digest(), event.pool())));
        }
        if (state.withdrawn().contains(event.checkpoint().digest())) {
            faults.add(
                    new Fault(
                            FailureCode.WITHDRAWN,
                            "checkpoint",
                            "%s was withdrawn and stays withdrawn: publish another checkpoint"
                                    .formatted(event.checkpoint().digest())));
        }
        faults.addAll(content(event, base));
        refuse(faults);
        return state.with(event, CalibrationSet.read(store.open(event.taskDefinition())).digest());
    }

    private static PoolState admit(PoolState state, PoolEvent.Retired event) {
        if (event.checkpoint() == null && !state.experts().containsKey(event.task())) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.UNKNOWN_TASK,
                            "task",
                            "is '%s', expected one of pool '%s': %s"
                                    .formatted(
                                            event.task(), event.pool(), state.experts().keySet())));
        }
        return state.with(event);
    }

    private static PoolState configuredPool(@Nullable PoolState state, PoolEvent event) {
        if (state == null || state.configuration() == null) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.UNKNOWN_POOL,
                            "pool",
                            "is '%s', which nobody has configured: configure it first, then publish again"
                                    .formatted(event.pool())));
        }
        return state;
    }

    /// Everything that speaks against the checkpoint and its task definition themselves.
    private List<Fault> content(PoolEvent.Published event, ArtifactReference base) {
        SoundExpert expert =
                new SoundExpert(event.task(), event.checkpoint(), base, event.taskDefinition());
        if (soundExperts.contains(expert)) {
            return List.of();
        }
        List<Fault> faults = new ArrayList<>();
        collect(faults, () -> store.verify(event.taskDefinition()));
        collect(faults, () -> store.verify(event.checkpoint()));
        if (faults.isEmpty()) {
            try (Checkpoint ofBase = Checkpoint.open(store.open(base))) {
                faults.addAll(
                        AdmissionChecker.check(
                                ofBase,
                                event.task(),
                                store.open(event.checkpoint()),
                                store.open(event.taskDefinition())));
            }
        }
        if (faults.isEmpty()) {
            soundExperts.add(expert);
        }
        return faults;
    }

    private void requireSoundBase(ArtifactReference base) {
        if (soundBases.contains(base)) {
            return;
        }
        store.verify(base);
        try (Checkpoint checkpoint = Checkpoint.open(store.open(base))) {
            refuse(nonFinite(checkpoint, "base"));
        }
        soundBases.add(base);
    }

    private static List<Fault> nonFinite(Checkpoint checkpoint, String owner) {
        List<Fault> faults = new ArrayList<>();
        for (String name : checkpoint.tensors().keySet()) {
            checkpoint
                    .firstNonFinite(name)
                    .ifPresent(found ->
                            faults.add(
                                    new Fault(
                                            FailureCode.NON_FINITE,
                                            owner + " " + name,
                                            "has %d NaN or infinite elements, the first at index %d: a training run that diverged?"
                                                    .formatted(
                                                            found.count(), found.firstIndex()))));
        }
        return faults;
    }

    private static void collect(List<Fault> faults, Runnable check) {
        try {
            check.run();
        } catch (RefusedException e) {
            faults.addAll(e.faults());
        }
    }

    private static void refuse(List<Fault> faults) {
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
    }
}
