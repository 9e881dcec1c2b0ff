package dev.tributary.cli;

import java.nio.file.Path;

/// The folder Tributary is installed in: the checkout with its built modules.
final class Home {
    private Home() {}

    static Path folder() {
        return Path.of(System.getProperty("tributary.home", ".")).toAbsolutePath().normalize();
    }
}
