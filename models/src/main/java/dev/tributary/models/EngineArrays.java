package dev.tributary.models;

import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;

/// Brings numbers from the heap into memory the engine owns.
///
/// The engine does not copy what Java hands over, it points to it, and the memory goes back with
/// the Java object. A derivative may still need it then: multiplying an array by a Java number, for
/// one, frees the number at once and reads it again on the way back, where a garbage collection in
/// between has put something else. So factors come from here and never from `mul(Number)`.
final class EngineArrays {
    private EngineArrays() {}

    /// A copy of these numbers.
    static PtNDArray floats(PtNDManager manager, float[] values, long... shape) {
        return (PtNDArray) manager.create(values, new Shape(shape)).duplicate();
    }

    /// One number that stands for an array of any shape.
    static PtNDArray scalar(PtNDManager manager, double value) {
        return floats(manager, new float[] {(float) value});
    }
}
