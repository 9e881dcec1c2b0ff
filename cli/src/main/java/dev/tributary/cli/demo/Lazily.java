package dev.tributary.cli.demo;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Something that is made when it is first wanted, and closed if it was.
final class Lazily<T extends AutoCloseable> implements AutoCloseable {
    private final Supplier<T> maker;
    private @Nullable T made;

    Lazily(Supplier<T> maker) {
        this.maker = maker;
    }

    T get() {
        T value = made;
        if (value == null) {
            value = maker.get();
            made = value;
        }
        return value;
    }

    @Override
    public void close() {
        if (made != null) {
            try {
                made.close();
            } catch (Exception e) {
                throw new IllegalStateException("cannot be closed", e);
            }
        }
    }
}
