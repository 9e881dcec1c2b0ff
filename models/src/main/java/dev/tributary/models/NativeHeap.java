package dev.tributary.models;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// The C library's heap, where the engine keeps its arrays.
///
/// A pass over a model allocates and frees the same large blocks again and again. Left to itself
/// glibc fetches each from the kernel and gives it back, and every page is cleared anew. Elsewhere
/// than on glibc nothing is changed.
public final class NativeHeap {
    private static final int M_TRIM_THRESHOLD = -1;
    private static final int M_TOP_PAD = -2;
    private static final int M_MMAP_THRESHOLD = -3;

    /// Blocks below this size come from the heap; the largest value glibc takes.
    private static final int FROM_THE_HEAP = 32 << 20;

    private static final int GROW_BY = 64 << 20;

    private NativeHeap() {}

    /// Keeps what is freed for what is allocated next, up to [#giveBack].
    static void keepFreedMemory() {
        function("mallopt", ValueLayout.JAVA_INT, ValueLayout.JAVA_INT)
                .ifPresent(mallopt -> {
                    option(mallopt, M_MMAP_THRESHOLD, FROM_THE_HEAP);
                    option(mallopt, M_TRIM_THRESHOLD, Integer.MAX_VALUE);
                    option(mallopt, M_TOP_PAD, GROW_BY);
                });
    }

    private static void option(MethodHandle mallopt, int parameter, int value) {
        try {
            int _ = (int) mallopt.invokeExact(parameter, value);
        } catch (Throwable failure) {
            throw new IllegalStateException("mallopt failed", failure);
        }
    }

    /// Returns what is free to the system: between two pieces of work a worker may wait for hours.
    public static void giveBack() {
        function("malloc_trim", ValueLayout.JAVA_LONG)
                .ifPresent(trim -> {
                    try {
                        int _ = (int) trim.invokeExact(0L);
                    } catch (Throwable failure) {
                        throw new IllegalStateException("malloc_trim failed", failure);
                    }
                });
    }

    /// A function of the C library that returns an int.
    @SuppressWarnings("restricted")
    static Optional<MethodHandle> function(String name, MemoryLayout... arguments) {
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup()
                .find(name)
                .map(address ->
                        linker.downcallHandle(
                                address, FunctionDescriptor.of(ValueLayout.JAVA_INT, arguments)));
    }
}
