package dev.tributary.models;

import dev.tributary.tensors.RefusedException;

/// Where models run, as `-Dtributary.device` or the variable `TRIBUTARY_DEVICE` says: `cpu`, `cuda`
/// or `cuda:N`.
public final class ModelDevice {
    static final String CPU = "cpu";

    private ModelDevice() {}

    /// Looks whether the device is there, so that a process says so when it starts. Nothing is
    /// loaded for the processor.
    ///
    /// @throws RefusedException with the reason where it is not
    public static void refuseUnlessPresent() {
        if (!TorchEngine.wantedDevice().equals(CPU)) {
            TorchEngine.device();
        }
    }
}
