package dev.tributary.merging;

import dev.tributary.tensors.FailureCode;

/// Where a fault of a recipe is reported.
@FunctionalInterface
interface FaultSink {
    void add(FailureCode code, String place, String sentence);
}
