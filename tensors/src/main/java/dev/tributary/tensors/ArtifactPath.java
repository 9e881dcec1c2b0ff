package dev.tributary.tensors;

import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/// A path below the store's root, in the only form that is accepted: a known collection and one to
/// three plain names. There is nothing to decode or to normalise, so checking and using it cannot
/// read it differently.
record ArtifactPath(String value) {
    private static final Set<String> COLLECTIONS = Set.of("checkpoints", "tasks", "generations");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}");
    private static final int MAX_NAMES = 4;

    ArtifactPath {
        List<String> names = split(value);
        if (names.size() < 2
                || names.size() > MAX_NAMES
                || !COLLECTIONS.contains(names.getFirst())
                || !names.stream().allMatch(ArtifactPath::isPlain)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.UNSAFE_PATH,
                            StrictJson.shown(value),
                            "is not a path in the store, expected checkpoints, tasks or generations"
                                    + " and one to three names of letters, digits, '.', '_' and '-'"));
        }
    }

    /// The names the path consists of.
    List<String> names() {
        return split(value);
    }

    private static List<String> split(String value) {
        return List.of(value.split("/", -1));
    }

    static ArtifactPath parse(String text) {
        return new ArtifactPath(text);
    }

    private static boolean isPlain(String name) {
        return NAME.matcher(name).matches() && !name.endsWith(".");
    }
}
