package dev.tributary.tensors;

/// bfloat16 (`BF16`): the upper half of an fp32 number.
final class Brain {
    static final int EXPONENT = 0x7f80;
    static final int QUIET_BIT = 0x40;

    private Brain() {}

    /// The same number in fp32; exact.
    static float toFloat(short brain) {
        return Float.intBitsToFloat(brain << 16);
    }

    /// The nearest bfloat16, ties to even. A NaN stays a NaN and keeps its sign and upper payload.
    static short ofFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> 16) | QUIET_BIT);
        }
        int roundUp = 0x7fff + ((bits >>> 16) & 1);
        return (short) ((bits + roundUp) >>> 16);
    }
}
