package dev.tributary.merge;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalInt;

/// Settings of the merge worker. Each can be given as a system property, as an environment variable
/// (`tributary.merge.concurrent` is `TRIBUTARY_MERGE_CONCURRENT`) or in `application.properties`.
@ConfigMapping(prefix = "tributary")
public interface MergeConfig {
    /// Folder of the artifact store, which all workers and publishers of an installation share.
    @WithDefault(".tributary/store")
    Path store();

    /// Folder for what can be computed again (experts' answers and statistics, how far a merge that
    /// learns has come: a worker that is killed loses one step of it) and for the count of merges
    /// that were begun and never ended. Best on a disk that survives a restart.
    @WithDefault(".tributary/cache")
    Path cache();

    /// How many threads a merge's tensor operations use; all cores when left out.
    OptionalInt threads();

    /// Where models run: `cpu`, or, where the program was built with CUDA, `cuda` or `cuda:1`.
    @WithDefault("cpu")
    String device();

    /// How merges are carried out.
    Merge merge();

    /// How merges are carried out.
    interface Merge {
        /// How many merges run at the same time.
        @WithDefault("1")
        int concurrent();

        /// Whether this worker, while it has no merge of its own, computes shares of the losses and
        /// gradients of others': those by methods with the option `shares`.
        @WithDefault("true")
        boolean help();

        /// How long a running merge may go on once the worker has been asked to stop. What is not
        /// finished by then is begun anew by whoever takes over.
        @WithDefault("10m")
        Duration drain();

        /// How often a merge or a record is tried in all when it fails in an unknown way. Causes
        /// that are known to pass, such as a full disk, are tried for as long as it takes.
        @WithDefault("3")
        int maxAttempts();

        /// How often a merge or a record may end this process before it is set aside.
        @WithDefault("3")
        int maxCrashes();

        /// How long the wait before the second attempt is at most; each further one doubles.
        @WithDefault("1s")
        Duration retryFirstDelay();

        /// How long any wait before another attempt is at most.
        @WithDefault("5m")
        Duration retryMaxDelay();

        /// How many records of a partition may wait in the worker before it stops reading there.
        @WithDefault("500")
        int maxWaitingRecords();

        /// How often broker and registry are asked whether they are there.
        @WithDefault("5s")
        Duration probeInterval();
    }
}
