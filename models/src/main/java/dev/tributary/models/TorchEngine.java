package dev.tributary.models;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Map;

/// Loads libtorch once a JVM, from the jars alone: no network, no telemetry, as many threads as
/// `-Dtributary.threads` says (default: all processors).
final class TorchEngine {

    /// How many threads one operation may use.
    static final String THREADS_PROPERTY = "tributary.threads";

    /// Variables the libraries read when they are loaded, where nobody has set them.
    ///
    /// OpenMP's threads spin while they wait, which beside busy neighbours makes two threads slower
    /// than one. MKL adds up products in an order that depends on how many threads there are,
    /// unless it is told to be strict: the same bytes for any number, on processors with the same
    /// instructions.
    private static final Map<String, String> VARIABLES =
            Map.of("GOMP_SPINCOUNT", "0", "MKL_CBWR", "AUTO,STRICT");

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
        VARIABLES.forEach(TorchEngine::setWhereMissing);
        NativeHeap.keepFreedMemory();
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("ai.djl.default_engine", "PyTorch");
        Engine engine = Engine.getEngine("PyTorch");
        JniUtils.setNumThreads(threads);
        return engine;
    }

    /// Java cannot set variables.
    private static void setWhereMissing(String name, String value) {
        if (System.getenv(name) != null) {
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
                                    arena.allocateFrom(name), arena.allocateFrom(value), overwrite);
        } catch (Throwable failure) {
            throw new IllegalStateException("setenv(%s) failed".formatted(name), failure);
        }
    }
}
