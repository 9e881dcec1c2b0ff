package dev.tributary.tensors;

/// IEEE 754 binary16 (`F16`): one bit of sign, five of exponent, ten of fraction.
final class Half {
    static final int EXPONENT = 0x7c00;
    static final int QUIET_NAN = 0x7e00;

    private Half() {}

    /// The same number in fp32; exact.
    static float toFloat(short half) {
        return Float.float16ToFloat(half);
    }

    /// The nearest half, ties to even; every NaN becomes the quiet one of its sign.
    static short ofFloat(float value) {
        if (Float.isNaN(value)) {
            return (short) (((Float.floatToRawIntBits(value) >>> 16) & 0x8000) | QUIET_NAN);
        }
        return Float.floatToFloat16(value);
    }
}
