package dev.tributary.eval;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;

/// Settings of the eval worker. Each can be given as a system property, as an environment variable
/// (`tributary.eval.tolerated-drop` is `TRIBUTARY_EVAL_TOLERATED_DROP`) or in
/// `application.properties`.
@ConfigMapping(prefix = "tributary")
public interface EvalConfig {

    /// Folder of the artifact store, which all workers and publishers of an installation share.
    @WithDefault(".tributary/store")
    Path store();

    /// Folder for what can be computed again: what experts answered and what generations scored.
    /// Workers may share it.
    @WithDefault(".tributary/cache")
    Path cache();

    /// How many threads a model's tensor operations use; all cores when left out.
    OptionalInt threads();

    /// Where models run: `cpu`, or, where the program was built with CUDA, `cuda` or `cuda:1`.
    @WithDefault("cpu")
    String device();

    /// How generations are scored and judged.
    Eval eval();

    /// Settings of the other programs of an installation, which may stand in the same file; this
    /// one does not look at them.
    Map<String, String> merge();

    /// How generations are scored and judged.
    interface Eval {

        /// Folder in which the stream keeps its notes. Every worker on a machine needs one of its
        /// own; nothing in it is lost when it is removed.
        @WithDefault("${tributary.cache:.tributary/cache}/eval-worker-${quarkus.http.port:8080}")
        Path state();

        /// How long a running evaluation may go on once the worker has been asked to stop. What is
        /// not finished by then is left to whoever takes over.
        @WithDefault("2m")
        Duration drain();

        /// How often an evaluation is tried in all before the task counts as failed.
        @WithDefault("3")
        int maxAttempts();

        /// How often an evaluation may end this process before the task counts as failed.
        @WithDefault("3")
        int maxCrashes();

        /// How long the wait before the second attempt is at most; each further one doubles.
        @WithDefault("1s")
        Duration retryFirstDelay();

        /// How long any wait before another attempt is at most.
        @WithDefault("1m")
        Duration retryMaxDelay();

        /// How often broker and registry are asked whether they are there.
        @WithDefault("5s")
        Duration probeInterval();

        /// The false-alarm rate of a generation's comparison with the champion, where the pool has
        /// no verdict policy of its own.
        @WithDefault("0.01")
        double significanceLevel();

        /// A fall of the right answers up to this is no regression, as a fraction of 1, where the
        /// pool has no verdict policy of its own.
        @WithDefault("0.02")
        double toleratedDrop();

        /// A comparison that could only have shown a fall larger than this is inconclusive, as a
        /// fraction of 1, where the pool has no verdict policy of its own.
        @WithDefault("0.15")
        double largestDetectableDrop();
    }
}
