package dev.tributary.merging;

/// Where TIES cuts a task vector: entries larger in magnitude are kept, smaller ones dropped, and
/// of those exactly at the cut so many as are needed to keep the wanted number, lowest index first.
///
/// Magnitudes are compared as the bits of their fp32 value without the sign, which order as the
/// values do.
///
/// @param bits the magnitude at the cut
/// @param keptAtCut how many entries of exactly this magnitude are kept
record TrimCut(int bits, long keptAtCut) {
    /// Keeps everything: not even a NaN has bits below this.
    static final TrimCut NONE = new TrimCut(-1, 0);

    /// The bits of a value's magnitude.
    static int magnitude(float value) {
        return Float.floatToRawIntBits(value) & 0x7fffffff;
    }
}
