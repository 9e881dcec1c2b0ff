package dev.tributary.tensors;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// The element type of a tensor, under the name the safetensors header uses.
public enum Dtype {
    F64(8, true),
    F32(4, true),
    F16(2, true),
    BF16(2, true),
    I64(8, false),
    I32(4, false),
    I16(2, false),
    I8(1, false),
    U64(8, false),
    U32(4, false),
    U16(2, false),
    U8(1, false),
    BOOL(1, false);

    private static final Map<String, Dtype> BY_NAME =
            Arrays.stream(values()).collect(Collectors.toMap(Dtype::name, dtype -> dtype));

    private final int bytes;
    private final boolean floating;

    Dtype(int bytes, boolean floating) {
        this.bytes = bytes;
        this.floating = floating;
    }

    /// Bytes one element takes.
    public int bytes() {
        return bytes;
    }

    /// Whether elements are numbers that can be merged; the others are carried through unchanged.
    public boolean floating() {
        return floating;
    }

    /// Where tensors of this dtype stand in a file: higher ranks first, as the reference writer
    /// orders them, which keeps every tensor aligned to its own elements.
    int alignmentRank() {
        return switch (this) {
            case BOOL -> 0;
            case U8 -> 1;
            case I8 -> 2;
            case I16 -> 3;
            case U16 -> 4;
            case F16 -> 5;
            case BF16 -> 6;
            case I32 -> 7;
            case U32 -> 8;
            case F32 -> 9;
            case F64 -> 10;
            case I64 -> 11;
            case U64 -> 12;
        };
    }

    /// The dtype with this header name, if it is one of those read here.
    public static Optional<Dtype> of(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }
}
