package dev.tributary.merging;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.Setting;
import dev.tributary.tensors.Digest;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// Names a generation by everything that determines it, so that the same request has the same id
/// wherever and whenever it is made.
///
/// @param digest of base, members by task, method with all its options, calibration inputs and the
///   method's version
public record GenerationIdentity(Digest digest) {
    private static final int SHORT_DIGITS = 16;

    /// Identifies a merge.
    ///
    /// @param base digest of the base's folder
    /// @param experts digests of the experts' folders by task
    /// @param calibrations digests of the calibration inputs by task; left out of the identity for
    ///   methods that use none
    public static GenerationIdentity of(
            Digest base,
            SortedMap<String, Digest> experts,
            MergeMethod method,
            SortedMap<String, Digest> calibrations) {
        return of(base, experts, new TreeMap<>(), method, calibrations, Optional.empty());
    }

    /// Identifies a merge whose experts have parameters of their own, by task and name.
    ///
    /// @param vocabulary digest of how rows are aligned by their tokens; empty where they are not
    static GenerationIdentity of(
            Digest base,
            SortedMap<String, Digest> experts,
            SortedMap<String, SortedMap<String, Setting>> settings,
            MergeMethod method,
            SortedMap<String, Digest> calibrations,
            Optional<Digest> vocabulary) {
        StringBuilder text = new StringBuilder("generation 1\n");
        line(text, "base", base.value());
        line(text, "method", method.id(), method.version());
        method.options().forEach((name, value) -> line(text, "option", name, value));
        vocabulary.ifPresent(digest -> line(text, "vocabulary", digest.value()));
        SortedMap<String, Digest> inputs =
                method.usesCalibration() ? calibrations : new TreeMap<>();
        experts.forEach((task, expert) -> {
            line(text, "member", task, expert.value());
            settings.getOrDefault(task, new TreeMap<>())
                    .forEach((name, setting) -> line(text, "parameter", name, setting.text()));
            Digest calibration = inputs.get(task);
            if (calibration != null) {
                line(text, "calibration", task, calibration.value());
            }
        });
        return new GenerationIdentity(Digest.ofText(text.toString()));
    }

    /// The first 16 hexadecimal digits, as folders of generations are called.
    public String shortId() {
        return digest.hex().substring(0, SHORT_DIGITS);
    }

    /// Each word goes with its length, so that no two requests can read the same.
    private static void line(StringBuilder text, String... words) {
        for (String word : words) {
            text.append(word.length()).append(':').append(word).append(' ');
        }
        text.append('\n');
    }
}
