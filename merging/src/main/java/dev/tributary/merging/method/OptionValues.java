package dev.tributary.merging.method;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/// A value for every option of a method, read and within bounds.
public final class OptionValues {
    private final Map<String, Object> values = new HashMap<>();

    OptionValues() {}

    <T> void put(Option<T> option, T value) {
        values.put(option.name(), Objects.requireNonNull(value));
    }

    /// The value of one option.
    public <T> T get(Option<T> option) {
        return option.cast(Objects.requireNonNull(values.get(option.name()), option.name()));
    }
}
