package dev.tributary.merging.method;

import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import java.util.Arrays;
import java.util.List;

/// The sum of the experts' weights, by which a mean of them is divided.
final class WeightSum {
    private WeightSum() {}

    /// What speaks against a mean of the experts: weights that cancel each other.
    static List<Fault> faults(MergeInputs inputs) {
        boolean cancelled =
                inputs.tensors().stream().anyMatch(t -> Arrays.stream(t.weights()).sum() == 0);
        return cancelled
                ? List.of(
                        new Fault(
                                FailureCode.BAD_OPTION,
                                "weight",
                                "the members' weights add up to 0, so there is no mean of them"))
                : List.of();
    }
}
