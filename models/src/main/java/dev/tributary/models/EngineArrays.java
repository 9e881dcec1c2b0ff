package dev.tributary.models;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.Arrays;

/// Brings numbers from the heap into memory the engine owns.
///
/// The engine does not copy what Java hands over, it points to it, and the memory goes back with
/// the Java object. A derivative may still need it then: multiplying an array by a Java number, for
/// one, frees the number at once and reads it again on the way back, where a garbage collection in
/// between has put something else. So factors come from here and never from `mul(Number)`.
final class EngineArrays {
    private static final long ALIGNMENT = 64;

    private EngineArrays() {}

    /// A copy of these numbers.
    static PtNDArray floats(PtNDManager manager, float[] values, long... shape) {
        return (PtNDArray) manager.create(values, new Shape(shape)).duplicate();
    }

    /// Copies an array's numbers.
    static void read(PtNDArray array, float[] target) {
        long bytes = array.getShape().size() * Float.BYTES;
        MemorySegment memory = MemorySegment.ofBuffer(array.toByteBuffer(true));
        MemorySegment.copy(memory, 0, MemorySegment.ofArray(target), 0, bytes);
    }

    /// As many of these numbers as the shape has, in memory that is given back with the arena:
    /// close the array before it.
    static PtNDArray over(PtNDManager manager, Arena arena, float[] values, Shape shape) {
        MemorySegment memory = arena.allocate(shape.size() * Float.BYTES, ALIGNMENT);
        MemorySegment.copy(MemorySegment.ofArray(values), 0, memory, 0, memory.byteSize());
        return manager.create(
                memory.asByteBuffer().order(ByteOrder.nativeOrder()), shape, DataType.FLOAT32);
    }

    /// One number that stands for an array of any shape.
    static PtNDArray scalar(PtNDManager manager, double value) {
        return floats(manager, new float[] {(float) value});
    }

    /// Rows of a table, by their numbers; `shape` says how these are arranged.
    static PtNDArray rows(PtNDManager manager, PtNDArray table, long[] numbers, Shape shape) {
        PtNDArray indices = manager.create(LongBuffer.wrap(numbers), shape, DataType.INT64);
        return JniUtils.embedding(indices, table, false);
    }

    /// States at some positions of a batch, `[positions, width]`.
    static PtNDArray at(PtNDManager manager, PtNDArray states, int[] positions, int width) {
        long[] numbers = Arrays.stream(positions).asLongStream().toArray();
        PtNDArray flat = (PtNDArray) states.reshape(-1, width);
        return rows(manager, flat, numbers, new Shape(numbers.length));
    }
}
