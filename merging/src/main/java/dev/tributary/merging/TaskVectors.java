package dev.tributary.merging;

import dev.tributary.merging.method.MergeTensor;
import dev.tributary.merging.method.Workers;
import dev.tributary.models.HeldStretch;
import dev.tributary.models.RunningModel;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.TaskVectorMerge;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The task vectors of a plan against a model in memory: writes `theta_0 + sum_t c_t tau_t` into
/// its weights, and turns its gradients into gradients of the coefficients.
///
/// The merged weights are linear in the coefficients, so the derivative by a coefficient is the
/// inner product of the weights' gradient with the task vector: experts stay in their mapped files
/// and no graph of them is built. Tensors that no expert changed are left out of both directions.
final class TaskVectors {
    /// Elements handled at a time, small enough to stay in the second-level cache while all members
    /// are gone through.
    private static final int TILE = 1 << 13;

    /// Elements a worker takes at a time; whole tensors up to this size.
    private static final long UNIT = 1 << 18;

    private final MergePlan plan;
    private final RunningModel model;
    private final Workers workers;
    private final List<SharedTensor> changed = new ArrayList<>();
    private final List<Unit> units = new ArrayList<>();
    private final double[][] products;

    /// What the model's weights are the merge of; null for anything else.
    private double @Nullable [][] held;

    /// A stretch of one tensor, with those members whose expert differs from the base there.
    ///
    /// @param heldFrom its first element in the model's memory
    private record Unit(
            SharedTensor tensor,
            long heldFrom,
            long count,
            MemorySegment weights,
            MemorySegment base,
            Dtype baseDtype,
            List<Expert> experts) {}

    /// @param from the unit's first element in the whole tensor
    private record Expert(int member, MergeTensor.Stored stored, long from) {
        MemorySegment slice(long at, long count) {
            return stored.slice(from + at, count);
        }
    }

    /// Finds out which tensors any expert changed, and refuses NaNs and infinities on the way.
    ///
    /// @throws RefusedException with every tensor that is not finite
    TaskVectors(MergePlan plan, RunningModel model, Workers workers) {
        this.plan = plan;
        this.model = model;
        this.workers = workers;
        List<SharedTensor> tensors = plan.shared().stream().filter(SharedTensor::merged).toList();
        List<List<Unit>> found = workers.map(tensors.size(), i -> units(tensors.get(i)));
        for (int i = 0; i < found.size(); i++) {
            if (!found.get(i).isEmpty()) {
                changed.add(tensors.get(i));
                units.addAll(found.get(i));
            }
        }
        this.products = new double[units.size()][plan.members().size()];
    }

    /// The threads that share out the work on them.
    Workers workers() {
        return workers;
    }

    /// The tensors that take part in the optimisation, by canonical name.
    List<String> changedNames() {
        return changed.stream().map(SharedTensor::name).toList();
    }

    private List<Unit> units(SharedTensor tensor) {
        refuseNonFinite(tensor);
        MemorySegment base = plan.base().data(tensor.baseName());
        List<Expert> experts = new ArrayList<>();
        for (int m = 0; m < plan.members().size(); m++) {
            SharedTensor.Source source = tensor.members().get(m);
            MergeTensor.Stored stored = LowRankRows.of(plan.members().get(m).expert(), source);
            if (!(stored instanceof MergeTensor.Mapped mapped)
                    || source.dtype() != tensor.baseDtype()
                    || mapped.data().mismatch(base) >= 0) {
                experts.add(new Expert(m, stored, 0));
            }
        }
        List<Unit> units = new ArrayList<>();
        if (!experts.isEmpty()) {
            for (HeldStretch held : model.held(tensor.name())) {
                for (long done = 0; done < held.count(); done += UNIT) {
                    units.add(unit(tensor, held, done, base, experts));
                }
            }
        }
        return units;
    }

    private Unit unit(
            SharedTensor tensor,
            HeldStretch held,
            long done,
            MemorySegment base,
            List<Expert> experts) {
        long from = held.from() + done;
        long heldFrom = held.heldFrom() + done;
        long count = Math.min(UNIT, held.count() - done);
        return new Unit(
                tensor,
                heldFrom,
                count,
                MergeExecutor.slice(model.weights(tensor.name()), Float.BYTES, heldFrom, count),
                MergeExecutor.slice(base, tensor.baseDtype().bytes(), from, count),
                tensor.baseDtype(),
                experts.stream().map(e -> new Expert(e.member(), e.stored(), from)).toList());
    }

    private void refuseNonFinite(SharedTensor tensor) {
        List<Fault> faults = new ArrayList<>();
        fault("base", plan.base(), tensor.baseName(), tensor).ifPresent(faults::add);
        for (int m = 0; m < plan.members().size(); m++) {
            Member member = plan.members().get(m);
            fault(member.task(), member.expert(), tensor.members().get(m).name(), tensor)
                    .ifPresent(faults::add);
        }
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
    }

    private static Optional<Fault> fault(
            String owner, Checkpoint checkpoint, String fileName, SharedTensor tensor) {
        return MergeExecutor.fault(owner, tensor, checkpoint.firstNonFinite(fileName));
    }

    /// Writes the merge of these coefficients into the model's weights.
    ///
    /// @param coefficients by member, then group
    void materialise(double[][] coefficients) {
        if (held != null && Arrays.deepEquals(held, coefficients)) {
            return;
        }
        held = Arrays.stream(coefficients).map(double[]::clone).toArray(double[][]::new);
        workers.each(units.size(), i -> materialise(units.get(i), coefficients));
        model.rewritten();
    }

    private static void materialise(Unit unit, double[][] coefficients) {
        int group = unit.tensor().group();
        List<TaskVectorMerge.Scaled> scaled = new ArrayList<>(unit.experts().size());
        for (Expert expert : unit.experts()) {
            scaled.add(
                    new TaskVectorMerge.Scaled(
                            expert.stored().dtype(),
                            expert.slice(0, unit.count()),
                            (float) coefficients[expert.member()][group]));
        }
        new TaskVectorMerge(unit.baseDtype(), unit.base(), unit.count())
                .sum(scaled, unit.weights());
    }

    /// Writes one expert's own weights into the model, exactly: those it shares and those that are
    /// left out of the merge, without which it would answer as nobody does.
    void become(int member) {
        held = null;
        Checkpoint expert = plan.members().get(member).expert();
        List<SharedTensor> tensors = new ArrayList<>(changed);
        tensors.addAll(leftOut());
        workers.each(
                tensors.size(),
                i -> read(tensors.get(i), expert, tensors.get(i).members().get(member).name()));
    }

    /// Puts the base's weights back where the merge has them.
    void leave() {
        List<SharedTensor> tensors = leftOut();
        workers.each(
                tensors.size(), i -> read(tensors.get(i), plan.base(), tensors.get(i).baseName()));
    }

    private List<SharedTensor> leftOut() {
        return plan.shared().stream()
                .filter(t -> t.kept() && t.baseDtype().floating())
                .filter(t -> model.parameters().containsKey(t.name()))
                .toList();
    }

    private void read(SharedTensor tensor, Checkpoint checkpoint, String fileName) {
        MemorySegment weights = model.weights(tensor.name());
        for (HeldStretch held : model.held(tensor.name())) {
            checkpoint.readFloats(
                    fileName,
                    held.from(),
                    MergeExecutor.slice(weights, Float.BYTES, held.heldFrom(), held.count()));
        }
    }

    /// Adds the inner products of the model's gradients with the task vectors to the gradient of
    /// the coefficients; partial sums are taken in a fixed order, whichever thread took them.
    ///
    /// @param gradient by member, then group
    void gradient(double[][] gradient) {
        List<MemorySegment> gradients = new ArrayList<>(units.size());
        MemorySegment whole = MemorySegment.NULL;
        for (Unit unit : units) {
            if (unit.heldFrom() == 0) {
                whole = model.gradient(unit.tensor().name());
            }
            gradients.add(MergeExecutor.slice(whole, Float.BYTES, unit.heldFrom(), unit.count()));
        }
        workers.each(units.size(), i -> products(units.get(i), gradients.get(i), products[i]));
        for (int i = 0; i < products.length; i++) {
            for (Expert expert : units.get(i).experts()) {
                gradient[expert.member()][units.get(i).tensor().group()] +=
                        products[i][expert.member()];
            }
        }
    }

    private static void products(Unit unit, MemorySegment gradient, double[] target) {
        Arrays.fill(target, 0);
        for (long from = 0; from < unit.count(); from += TILE) {
            long count = Math.min(TILE, unit.count() - from);
            MemorySegment tile = MergeExecutor.slice(gradient, Float.BYTES, from, count);
            MemorySegment base =
                    MergeExecutor.slice(unit.base(), unit.baseDtype().bytes(), from, count);
            for (Expert expert : unit.experts()) {
                target[expert.member()] +=
                        Kernels.dotDifference(
                                tile,
                                expert.stored().dtype(),
                                expert.slice(from, count),
                                unit.baseDtype(),
                                base,
                                count);
            }
        }
    }
}
