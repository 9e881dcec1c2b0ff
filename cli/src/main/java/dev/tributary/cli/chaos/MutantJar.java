package dev.tributary.cli.chaos;

import dev.tributary.cli.chaos.mutant.MutantAgent;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;

/// The jar that puts a bug into a worker: nothing but the package of [MutantAgent].
final class MutantJar {
    private static final String PACKAGE = MutantAgent.class.getPackageName().replace('.', '/');

    private MutantJar() {}

    static void write(Path file) {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Premain-Class", MutantAgent.class.getName());
        URI first = resource(MutantAgent.class);
        try {
            Files.createDirectories(Objects.requireNonNull(file.getParent()));
            try (OutputStream bytes = Files.newOutputStream(file);
                    JarOutputStream jar = new JarOutputStream(bytes, manifest)) {
                if (first.getScheme().equals("jar")) {
                    try (FileSystem own = FileSystems.newFileSystem(first, java.util.Map.of())) {
                        copy(own.getPath("/" + PACKAGE), jar);
                    }
                } else {
                    copy(Objects.requireNonNull(Path.of(first).getParent()), jar);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    private static URI resource(Class<?> type) {
        try {
            return Objects.requireNonNull(type.getResource(type.getSimpleName() + ".class"))
                    .toURI();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void copy(Path folder, JarOutputStream jar) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> classes = files.filter(f -> f.toString().endsWith(".class")).toList();
            for (Path file : classes) {
                jar.putNextEntry(new JarEntry(PACKAGE + "/" + file.getFileName()));
                Files.copy(file, jar);
            }
        }
    }
}
