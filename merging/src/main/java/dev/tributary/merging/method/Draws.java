package dev.tributary.merging.method;

import java.nio.charset.StandardCharsets;

/// Random numbers that are a function of where they are used: of a seed, an expert, a tensor and an
/// element's index. So a mask does not depend on the order in which experts arrive or elements are
/// worked on, nor on the number of threads.
///
/// A draw mixes the index in three rounds of multiplication and shift, as the finalisers of the
/// murmur family do, with one half of the key before the first round and the other after it.
final class Draws {
    static final int FIRST = 0x7feb352d;
    static final int SECOND = 0x846ca68b;
    static final int THIRD = 0x31848bab;

    /// The number of different draws.
    static final float ALL = 0x1p31f;

    private Draws() {}

    /// The key of one expert's mask in one tensor.
    static long key(long seed, String task, String tensor) {
        long key = mix(seed ^ 0x9e3779b97f4a7c15L);
        for (byte b : (task + "\n" + tensor).getBytes(StandardCharsets.UTF_8)) {
            key = mix(key + 0x9e3779b97f4a7c15L + b);
        }
        return key;
    }

    /// The upper half of the key, with the upper half of the index: a tile never crosses a multiple
    /// of 2^32.
    static int highKey(long key, long index) {
        return (int) (key >>> 32) ^ (int) (index >>> 32) * FIRST;
    }

    /// A number from 0 to 2^31 - 1.
    static int draw(long key, long index) {
        int draw = (int) index ^ (int) key;
        draw ^= draw >>> 16;
        draw *= FIRST;
        draw ^= draw >>> 15;
        draw ^= highKey(key, index);
        draw *= SECOND;
        draw ^= draw >>> 15;
        draw *= THIRD;
        draw ^= draw >>> 16;
        return draw >>> 1;
    }

    /// The threshold below which a share of all draws lies.
    static int threshold(double share) {
        return (int) Math.min(Integer.MAX_VALUE, Math.round(share * 0x1p31));
    }

    private static long mix(long value) {
        long mixed = value;
        mixed = (mixed ^ (mixed >>> 30)) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
        return mixed ^ (mixed >>> 31);
    }
}
