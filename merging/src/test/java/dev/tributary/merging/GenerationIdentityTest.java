package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.method.DivMerge;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.TaskArithmetic;
import dev.tributary.tensors.Digest;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class GenerationIdentityTest {
    private static final Digest BASE = Digest.ofText("base");
    private static final MergeMethod SUM = new TaskArithmetic(0.3);
    private static final MergeMethod LEARN = DivMerge.defaults();

    @Test
    void everythingThatDeterminesAGenerationIsInItsId() {
        assertThat(
                        Set.of(
                                id(BASE, "x", SUM, "c"),
                                id(Digest.ofText("other"), "x", SUM, "c"),
                                id(BASE, "y", SUM, "c"),
                                id(BASE, "x", new TaskArithmetic(0.4), "c"),
                                id(BASE, "x", LEARN, "c"),
                                id(BASE, "x", LEARN, "d")))
                .hasSize(6);
        assertThat(id(BASE, "x", SUM, "c")).isEqualTo(id(BASE, "x", SUM, "c"));
    }

    @Test
    void calibrationCountsOnlyWhereItIsUsed() {
        assertThat(id(BASE, "x", SUM, "c")).isEqualTo(id(BASE, "x", SUM, "d"));
    }

    @Test
    void theShortFormNamesFolders() {
        GenerationIdentity identity = id(BASE, "x", SUM, "c");
        assertThat(identity.shortId())
                .hasSize(16)
                .isEqualTo(identity.digest().hex().substring(0, 16));
    }

    private static GenerationIdentity id(
            Digest base, String expert, MergeMethod method, String calibration) {
        return GenerationIdentity.of(
                base,
                new TreeMap<>(Map.of("spam", Digest.ofText(expert))),
                method,
                new TreeMap<>(Map.of("spam", Digest.ofText(calibration))));
    }
}
