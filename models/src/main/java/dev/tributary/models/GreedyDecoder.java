package dev.tributary.models;

import ai.djl.ndarray.NDScope;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/// Goes on from prompts with the token a model holds most likely, again and again, and keeps what
/// its layers have made of the tokens before.
final class GreedyDecoder {
    private static final int TOGETHER = 16;

    private final ModelConfig config;
    private final ForwardArchitecture architecture;
    private final Supplier<ForwardPass> forward;

    GreedyDecoder(
            ModelConfig config, ForwardArchitecture architecture, Supplier<ForwardPass> forward) {
        this.config = config;
        this.architecture = architecture;
        this.forward = forward;
    }

    List<long[]> generate(TokenizedTexts prompts, int mostTokens, Set<Long> ends) {
        long[][] all = new long[prompts.size()][];
        for (int[] group : prompts.byLength(TOGETHER)) {
            try (var _ = new GradMode(false);
                    DecoderCache cache = new DecoderCache(architecture.cachedLayers())) {
                long[][] generated =
                        generate(prompts.endingTogether(group), cache, mostTokens, ends);
                for (int row = 0; row < group.length; row++) {
                    all[group[row]] = generated[row];
                }
            }
        }
        return List.of(all);
    }

    private long[][] generate(Batch prompts, DecoderCache cache, int mostTokens, Set<Long> ends) {
        Batch latest =
                architecture
                        .beginning(prompts)
                        .orElseThrow(() ->
                                new IllegalStateException(
                                        "[%s] generates nothing".formatted(config.architecture())));
        int room = Math.min(mostTokens, config.maxPositions() - latest.length());
        long[][] generated = new long[prompts.rows()][0];
        boolean[] ended = new boolean[prompts.rows()];
        for (int step = 0; step < room && !allTrue(ended); step++) {
            long[] next;
            try (NDScope scope = new NDScope()) {
                scope.suppressNotUsedWarning();
                next = forward.get().next(prompts, latest, cache).argMax(-1).toLongArray();
            }
            for (int row = 0; row < next.length; row++) {
                if (!ended[row]) {
                    generated[row] = Arrays.copyOf(generated[row], step + 1);
                    generated[row][step] = next[row];
                    ended[row] = ends.contains(next[row]);
                }
            }
            latest = Batch.ofTokens(next);
        }
        return generated;
    }

    private static boolean allTrue(boolean[] values) {
        for (boolean value : values) {
            if (!value) {
                return false;
            }
        }
        return true;
    }
}
