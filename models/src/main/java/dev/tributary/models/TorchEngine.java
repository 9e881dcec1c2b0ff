package dev.tributary.models;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Loads libtorch once a JVM, from the jars alone: no network, no telemetry, as many threads as
/// `-Dtributary.threads` says (default: all processors).
final class TorchEngine {

    /// How many threads one operation may use.
    static final String THREADS_PROPERTY = "tributary.threads";

    private static final String SPIN_COUNT = "GOMP_SPINCOUNT";

    private TorchEngine() {}

    /// A manager of native arrays of its own; closing it frees them.
    static PtNDManager newManager() {
        return (PtNDManager) NDManager.newBaseManager(Device.cpu(), Loaded.ENGINE.getEngineName());
    }

    /// How many threads one operation uses.
    static int threads() {
        return Loaded.ENGINE == null ? 0 : JniUtils.getNumThreads();
    }

    /// Loading a class happens once, whatever the number of threads asking.
    private static final class Loaded {
        static final Engine ENGINE = load();
    }

    private static Engine load() {
        int threads =
                Integer.getInteger(THREADS_PROPERTY, Runtime.getRuntime().availableProcessors());
        if (threads < 1) {
            throw new IllegalArgumentException(
                    "[-D%s] %d, expected 1 or more".formatted(THREADS_PROPERTY, threads));
        }
        keepOpenMpFromSpinning();
        NativeHeap.keepFreedMemory();
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("ai.djl.default_engine", "PyTorch");
        Engine engine = Engine.getEngine("PyTorch");
        JniUtils.setNumThreads(threads);
        return engine;
    }

    /// OpenMP's threads spin while they wait, which beside busy neighbours makes two threads slower
    /// than one. They read the variable when the library loads, and Java cannot set variables.
    private static void keepOpenMpFromSpinning() {
        if (System.getenv(SPIN_COUNT) != null) {
            return;
        }
        MethodHandle setenv =
                NativeHeap.function(
                                "setenv",
                                ValueLayout.ADDRESS,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_INT)
                        .orElseThrow();
        try (Arena arena = Arena.ofConfined()) {
            int overwrite = 0;
            int _ =
                    (int)
                            setenv.invokeExact(
                                    arena.allocateFrom(SPIN_COUNT),
                                    arena.allocateFrom("0"),
                                    overwrite);
        } catch (Throwable failure) {
            throw new IllegalStateException("setenv(%s) failed".formatted(SPIN_COUNT), failure);
        }
    }
}
