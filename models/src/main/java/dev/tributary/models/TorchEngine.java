package dev.tributary.models;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.StandardCapabilities;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Loads libtorch once a JVM, from the jars alone: no network, no telemetry, as many threads as
/// `-Dtributary.threads` says (default: all processors), on the device that `-Dtributary.device`
/// says (default: the processor).
final class TorchEngine {

    /// How many threads one operation may use.
    static final String THREADS_PROPERTY = "tributary.threads";

    /// Where models run: `cpu`, or `cuda` or `cuda:1` where the engine was built with CUDA's
    /// libraries. `cpu:copied` keeps what the engine computes with apart from Java's memory, as a
    /// graphics card does, so that tests go that way without one.
    static final String DEVICE_PROPERTY = "tributary.device";

    private static final String DEVICE_VARIABLE = "TRIBUTARY_DEVICE";
    private static final String COPIED = "cpu:copied";
    private static final Pattern CARD = Pattern.compile("cuda(?::(0|[1-9][0-9]{0,3}))?");

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
        return (PtNDManager) NDManager.newBaseManager(device(), Loaded.ENGINE.getEngineName());
    }

    /// What the property or the variable says.
    static String wantedDevice() {
        String wanted = System.getProperty(DEVICE_PROPERTY, System.getenv(DEVICE_VARIABLE));
        return wanted == null || wanted.isEmpty() ? ModelDevice.CPU : wanted;
    }

    /// Where arrays are.
    ///
    /// @throws RefusedException where that is not there
    static Device device() {
        return device(wantedDevice(), Loaded.ENGINE);
    }

    /// Whether the engine computes in the very memory that Java hands over.
    static boolean sharesMemory() {
        return wantedDevice().equals(ModelDevice.CPU);
    }

    /// How many threads one operation uses.
    static int threads() {
        return Loaded.ENGINE == null ? 0 : JniUtils.getNumThreads();
    }

    /// Loading a class happens once, whatever the number of threads asking.
    private static final class Loaded {
        static final Engine ENGINE = load();
    }

    private static Device device(String wanted, Engine engine) {
        if (wanted.equals(ModelDevice.CPU) || wanted.equals(COPIED)) {
            return Device.cpu();
        }
        Matcher card = CARD.matcher(wanted);
        if (!card.matches()) {
            throw refused(wanted, "expected cpu, cuda or cuda:N");
        }
        if (!engine.hasCapability(StandardCapabilities.CUDA)) {
            throw refused(wanted, "the engine here has no CUDA: build with -Pcuda, or take cpu");
        }
        int number = card.group(1) == null ? 0 : Integer.parseInt(card.group(1));
        if (number >= engine.getGpuCount()) {
            throw refused(
                    wanted,
                    "expected one of the %d cards that are found, counted from 0"
                            .formatted(engine.getGpuCount()));
        }
        return Device.gpu(number);
    }

    private static RefusedException refused(String device, String why) {
        return new RefusedException(
                new Fault(
                        FailureCode.BAD_OPTION,
                        DEVICE_PROPERTY,
                        "is %s, %s".formatted(device, why)));
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
