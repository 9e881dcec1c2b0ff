package dev.tributary.models;

import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;

/// Brings numbers from the heap into the engine's own memory.
final class EngineArrays {
    private EngineArrays() {}

    /// An array of these numbers, copied to where the engine would have put it: the engine works in
    /// place on what Java hands over, and its matrix kernels round differently when memory is not
    /// aligned as they like it, so the last bit would depend on where a Java buffer happened to
    /// lie.
    static PtNDArray floats(PtNDManager manager, float[] values, long... shape) {
        return (PtNDArray) manager.create(values, new Shape(shape)).duplicate();
    }
}
