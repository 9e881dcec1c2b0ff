package dev.tributary.models;

import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/// Parameters in native memory that Java and the engine see at once: writing a segment changes the
/// tensor, and a gradient is read where the engine put it. Nothing is copied either way, unless the
/// engine computes in memory of its own, as on a graphics card: then what was written goes there
/// before the next pass, and a gradient comes from there when it is asked for.
final class Weights implements AutoCloseable {
    private static final long ALIGNMENT = 64;

    /// Where one parameter lies: its block's tensor, and its place within it.
    private record Part(PtNDArray tensor, MemorySegment values, long offset, List<Long> shape) {}

    /// Java's side of a block, and the engine's.
    private record Sides(MemorySegment memory, PtNDArray tensor) {}

    private final Arena arena = Arena.ofShared();
    private final PtNDManager manager = TorchEngine.newManager();
    private final SequencedMap<String, Part> parts = new LinkedHashMap<>();
    private final SequencedMap<String, PtNDArray> tensors = new LinkedHashMap<>();
    private final Map<String, MemorySegment> untouched = new HashMap<>();
    private final Map<String, MemorySegment> copied = new HashMap<>();
    private final boolean shared = TorchEngine.sharesMemory();
    private final List<Sides> sides = new ArrayList<>();
    private volatile boolean rewritten;

    Weights(List<Block> blocks) {
        try {
            blocks.forEach(this::add);
        } catch (RuntimeException | Error e) {
            close(); // a card may be full
            throw e;
        }
    }

    private void add(Block block) {
        MemorySegment memory = arena.allocate(block.bytes(), ALIGNMENT);
        PtNDArray tensor = over(memory, new Shape(block.joinedShape()));
        if (!shared) {
            try (PtNDArray view = tensor) {
                tensor = (PtNDArray) view.duplicate();
            }
            sides.add(new Sides(memory, tensor));
        }
        tensors.put(block.names().getFirst(), tensor);
        long offset = 0;
        for (String name : block.names()) {
            MemorySegment values = memory.asSlice(offset, block.partBytes());
            parts.put(name, new Part(tensor, values, offset, block.shape()));
            offset += block.partBytes();
        }
    }

    private PtNDArray over(MemorySegment memory, Shape shape) {
        return manager.create(
                memory.asByteBuffer().order(ByteOrder.nativeOrder()), shape, DataType.FLOAT32);
    }

    PtNDManager manager() {
        return manager;
    }

    /// To be told when segments that were handed out earlier have been written to.
    void rewritten() {
        rewritten = true;
    }

    /// Brings what was written to where the engine computes; before every pass.
    void settle() {
        if (shared || !rewritten) {
            return;
        }
        try (var _ = new GradMode(false)) {
            for (Sides side : sides) {
                try (NDScope scope = new NDScope()) { // one block at a time
                    scope.suppressNotUsedWarning();
                    PtNDArray written = over(side.memory(), side.tensor().getShape());
                    side.tensor().set(new NDIndex("..."), written);
                }
            }
        }
        rewritten = false;
    }

    boolean has(String name) {
        return parts.containsKey(name);
    }

    SequencedMap<String, List<Long>> shapes() {
        SequencedMap<String, List<Long>> shapes = new LinkedHashMap<>();
        parts.forEach((name, part) -> shapes.put(name, part.shape()));
        return shapes;
    }

    List<Long> shape(String name) {
        return part(name).shape();
    }

    /// The tensor of a block, under the name of its first part.
    PtNDArray tensor(String firstName) {
        PtNDArray tensor = tensors.get(firstName);
        if (tensor == null) {
            throw new IllegalArgumentException(
                    "[%s] not the start of a block".formatted(firstName));
        }
        return tensor;
    }

    boolean hasTensor(String firstName) {
        return tensors.containsKey(firstName);
    }

    /// The live values of a parameter; who keeps them and writes to them later says so
    /// ([#rewritten]).
    MemorySegment values(String name) {
        rewritten = true;
        return part(name).values();
    }

    /// Which parameters get gradients; where a block is asked for in part, all of it does.
    void train(Collection<String> names) {
        Set<String> wanted = Set.copyOf(names);
        for (PtNDArray tensor : tensors.values()) {
            JniUtils.attachGradient(tensor, false);
        }
        parts.forEach((name, part) -> {
            if (wanted.contains(name)) {
                JniUtils.attachGradient(part.tensor(), true);
            }
        });
    }

    /// The live gradient of a parameter, in the engine's memory; zeros where no loss has reached
    /// it.
    @SuppressWarnings("restricted")
    MemorySegment gradient(String name) {
        Part part = part(name);
        if (!JniUtils.requiresGrad(part.tensor())) {
            throw new IllegalStateException(
                    "[%s] has no gradient: it is not among those trained".formatted(name));
        }
        try (NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            PtNDArray gradient = JniUtils.getGradient(part.tensor());
            if (gradient == null) {
                return untouched.computeIfAbsent(
                        name, _ -> arena.allocate(part.values().byteSize(), ALIGNMENT));
            }
            // The tensor keeps its gradient's memory; the buffer only tells where it is.
            MemorySegment memory = MemorySegment.ofBuffer(gradient.toByteBuffer(true));
            if (!shared) {
                return copied.computeIfAbsent(
                                name, _ -> arena.allocate(part.values().byteSize(), ALIGNMENT))
                        .copyFrom(memory.asSlice(part.offset(), part.values().byteSize()));
            }
            return MemorySegment.ofAddress(memory.address() + part.offset())
                    .reinterpret(part.values().byteSize(), arena, null);
        }
    }

    void zeroGradients() {
        try (NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            for (PtNDArray tensor : tensors.values()) {
                if (JniUtils.requiresGrad(tensor) && JniUtils.getGradient(tensor) != null) {
                    JniUtils.zeroGrad(tensor);
                }
            }
        }
    }

    private Part part(String name) {
        Part part = parts.get(name);
        if (part == null) {
            throw new IllegalArgumentException("[%s] no such parameter".formatted(name));
        }
        return part;
    }

    @Override
    public void close() {
        manager.close();
        arena.close();
    }
}
