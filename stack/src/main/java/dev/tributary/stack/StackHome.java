package dev.tributary.stack;

import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Where the programs of the stack lie: the folders `broker` and `registry` that the build lays out
/// beside this module's jar. `-Dtributary.broker.home` and `-Dtributary.registry.home` name other
/// places.
final class StackHome {

    private StackHome() {}

    /// The folder of a program.
    ///
    /// @param program `broker` or `registry`
    static Path of(String program) {
        String property = "tributary.%s.home".formatted(program);
        String stated = System.getProperty(property);
        if (stated != null) {
            return require(Path.of(stated), property);
        }
        Path workingFolder = Path.of("").toAbsolutePath();
        return Stream.concat(
                        Stream.of(ownLocation().resolveSibling(program)),
                        Stream.iterate(workingFolder, Objects::nonNull, StackHome::parent)
                                .map(folder -> folder.resolve("stack/target").resolve(program)))
                .filter(Files::isDirectory)
                .findFirst()
                .orElseThrow(() ->
                        new StackException(
                                "[%s] the folder was not found beside %s, expected the build to have laid it out: run mvn -pl stack verify, or set -D%s"
                                        .formatted(program, ownLocation(), property),
                                null));
    }

    /// The jar or folder this class came from.
    static Path ownLocation() {
        try {
            return Optional.ofNullable(StackHome.class.getProtectionDomain().getCodeSource())
                    .map(CodeSource::getLocation)
                    .map(Object::toString)
                    .map(StackHome::fileOf)
                    .orElseThrow();
        } catch (RuntimeException e) {
            throw new StackException(
                    "[stack] the place of its own classes is unknown, expected a jar or a folder: run it from the file system",
                    e);
        }
    }

    private static Path fileOf(String location) {
        try {
            return Path.of(new java.net.URI(location));
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @SuppressWarnings("NullAway") // the end of the walk is null
    private static @Nullable Path parent(Path folder) {
        return folder.getParent();
    }

    private static Path require(Path folder, String property) {
        if (!Files.isDirectory(folder)) {
            throw new StackException(
                    "[%s] %s is no folder, expected the one the build of the module stack lays out"
                            .formatted(property, folder),
                    null);
        }
        return folder;
    }
}
