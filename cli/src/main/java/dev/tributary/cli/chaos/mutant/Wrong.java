package dev.tributary.cli.chaos.mutant;

import java.io.IOException;
import java.nio.file.CopyOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// What mutants call in the place of methods of the JDK.
public final class Wrong {
    private static final long BETWEEN_FILES_MILLIS = 100;

    private Wrong() {}

    /// The oldest in the place of the newest.
    public static Object getLast(List<?> list) {
        return list.getFirst();
    }

    /// In the wrong order.
    public static List<?> toList(Stream<?> stream) {
        List<Object> all = new ArrayList<>(stream.toList());
        Collections.reverse(all);
        return all;
    }

    /// The oldest value stays.
    public static <K, V> V put(Map<K, V> map, K key, V value) {
        map.putIfAbsent(key, value);
        return value;
    }

    /// Everything is in.
    public static boolean contains(Set<?> set, Object value) {
        return value != null || set.isEmpty();
    }

    /// Not in one step.
    public static Path move(Path source, Path target, CopyOption... options) throws IOException {
        try (Stream<Path> files = Files.walk(source)) {
            for (Path file : files.toList()) {
                Path place = target.resolve(source.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectory(place);
                } else {
                    Files.copy(file, place);
                    pause();
                }
            }
        }
        return target;
    }

    private static void pause() {
        try {
            Thread.sleep(BETWEEN_FILES_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// With the time of day in it.
    @SuppressWarnings("AnnotateFormatMethod") // has the signature of what it stands for
    public static String formatted(String text, Object... values) {
        return text.formatted(values) + " " + System.nanoTime();
    }
}
