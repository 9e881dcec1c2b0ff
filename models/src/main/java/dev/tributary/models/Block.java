package dev.tributary.models;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// Parameters that lie one after the other in memory, so that the engine can treat them as one
/// tensor (joined along the first axis): query, key and value become one multiplication.
///
/// @param names canonical names, in order
/// @param shape the shape of each part; all parts have the same
record Block(List<String> names, List<Long> shape) {

    Block {
        names = List.copyOf(names);
        shape = List.copyOf(shape);
    }

    static Block of(String name, long... shape) {
        return new Block(List.of(name), Arrays.stream(shape).boxed().toList());
    }

    /// Canonical names and shapes of blocks, in order.
    static SequencedMap<String, List<Long>> shapes(List<Block> blocks) {
        SequencedMap<String, List<Long>> shapes = new LinkedHashMap<>();
        for (Block block : blocks) {
            block.names().forEach(name -> shapes.put(name, block.shape()));
        }
        return shapes;
    }

    /// Bytes of one part.
    long partBytes() {
        return shape.stream().reduce((long) Float.BYTES, Math::multiplyExact);
    }

    /// Bytes of all parts.
    long bytes() {
        return Math.multiplyExact(partBytes(), (long) names.size());
    }

    /// The shape of the parts joined.
    long[] joinedShape() {
        long[] joined = shape.stream().mapToLong(Long::longValue).toArray();
        joined[0] *= names.size();
        return joined;
    }
}
