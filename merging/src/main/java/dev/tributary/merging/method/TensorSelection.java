package dev.tributary.merging.method;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// The tensors a merge is applied to, by globs over their names: `*` stands for any characters, `?`
/// for one. The others keep the base's values.
///
/// @param include what is merged; empty for everything
/// @param exclude what is not merged, also where it is included
public record TensorSelection(List<String> include, List<String> exclude) {
    /// Everything.
    public static final TensorSelection ALL = new TensorSelection(List.of(), List.of());

    public TensorSelection {
        include = List.copyOf(include);
        exclude = List.copyOf(exclude);
    }

    /// Whether a tensor known under these names is merged.
    public boolean merges(String... names) {
        return (include.isEmpty() || any(include, names)) && !any(exclude, names);
    }

    /// Globs from text, separated by commas.
    static List<String> globs(String text) {
        return Arrays.stream(text.split(",", -1))
                .map(String::strip)
                .filter(s -> !s.isEmpty())
                .toList();
    }

    private static boolean any(List<String> globs, String... names) {
        return globs.stream()
                .map(TensorSelection::pattern)
                .anyMatch(p -> Arrays.stream(names).anyMatch(n -> p.matcher(n).matches()));
    }

    private static Pattern pattern(String glob) {
        return Pattern.compile(
                glob.codePoints()
                        .mapToObj(c ->
                                switch (c) {
                                    case '*' -> ".*";
                                    case '?' -> ".";
                                    default -> Pattern.quote(Character.toString(c));
                                })
                        .collect(Collectors.joining()));
    }
}
