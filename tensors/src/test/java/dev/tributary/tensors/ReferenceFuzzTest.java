package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// References put together from what paths and addresses are attacked with: each is refused with
/// its code, or names, letter by letter, a place below one of the store's collections. More rounds:
/// `-Dfuzz.rounds`.
class ReferenceFuzzTest {
    private static final int ROUNDS = Integer.getInteger("fuzz.rounds", 200_000);
    private static final Path ROOT = Path.of("/srv/store");
    private static final List<String> PIECES =
            List.of(
                    "store:",
                    "store://",
                    "file:",
                    "hf://",
                    "s3://",
                    "http://[::1]",
                    "checkpoints",
                    "tasks",
                    "generations",
                    "staging",
                    "Checkpoints",
                    "/",
                    "/",
                    "/",
                    "//",
                    "\\",
                    ".",
                    "..",
                    "...",
                    "%2e%2e",
                    "%2f",
                    "%00",
                    "\0",
                    "\n",
                    " ",
                    "a",
                    "mail",
                    "0000000001",
                    "-rf",
                    "_x",
                    "~",
                    "$HOME",
                    "C:",
                    "aux",
                    ":",
                    "?",
                    "#",
                    "@",
                    "\u202e",
                    "\uff0e\uff0e",
                    "\uff0f",
                    "\ud800",
                    "e\u0301",
                    "n".repeat(127),
                    "n".repeat(129));

    @Test
    void aReferenceIsRefusedOrNamesAPlaceInACollection() {
        SplittableRandom random = new SplittableRandom(2306_01708);
        int accepted = 0;
        for (int round = 0; round < ROUNDS; round++) {
            String uri = uri(random);
            try {
                ArtifactReference reference =
                        new ArtifactReference(uri, Digest.ofText("x"), random.nextLong(1, 9));
                checkBelowTheRoot(reference);
                accepted++;
            } catch (RefusedException e) {
                assertThat(e.faults())
                        .singleElement()
                        .satisfies(fault -> {
                            assertThat(fault.code()).isEqualTo(FailureCode.UNSAFE_PATH);
                            assertThat(fault.toString()).doesNotContainPattern("\\p{C}");
                        });
            }
        }
        assertThat(accepted).isBetween(ROUNDS / 100, ROUNDS / 2);
    }

    private static void checkBelowTheRoot(ArtifactReference reference) {
        Path place = ROOT.resolve(reference.path());
        assertThat(place.normalize()).isEqualTo(place);
        assertThat(place.startsWith(ROOT)).isTrue();
        assertThat(place.getNameCount() - ROOT.getNameCount()).isBetween(2, 4);
        assertThat(place.getName(ROOT.getNameCount()).toString())
                .isIn("checkpoints", "tasks", "generations");
        assertThat(reference.uri()).isEqualTo("store:" + ROOT.relativize(place));
    }

    /// Often nearly right, so that what is wrong is met where it hides.
    private static String uri(SplittableRandom random) {
        StringBuilder uri = new StringBuilder();
        if (random.nextInt(4) > 0) {
            uri.append("store:");
        }
        if (random.nextInt(3) > 0) {
            uri.append("checkpoints/");
        }
        int pieces = random.nextInt(0, 6);
        for (int piece = 0; piece < pieces; piece++) {
            uri.append(PIECES.get(random.nextInt(PIECES.size())));
        }
        return uri.toString();
    }
}
