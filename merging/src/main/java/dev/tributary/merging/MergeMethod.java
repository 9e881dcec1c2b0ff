package dev.tributary.merging;

import dev.tributary.tensors.RefusedException;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/// How the weights of several experts of one base become one model. Parameters are checked on
/// construction, so a method that exists is a method that can run.
public sealed interface MergeMethod {

    /// The methods by name, as options, events and recipes call them.
    List<String> IDS = List.of("weight_averaging", "task_arithmetic", "ties", "divmerge");

    /// The mean of the experts: `sum w_t theta_t / sum w_t` (model soups, arXiv 2203.05482). The
    /// base has no part in it.
    ///
    /// @param normalize divide by the sum of the members' weights; without it their plain sum
    record WeightAveraging(boolean normalize) implements MergeMethod {
        public WeightAveraging() {
            this(true);
        }

        @Override
        public String id() {
            return "weight_averaging";
        }

        @Override
        public SequencedMap<String, String> options() {
            return sorted(Map.of("normalize", Boolean.toString(normalize)));
        }
    }

    /// The base plus a multiple of the sum of the task vectors: `theta_0 + lambda sum_t w_t tau_t`
    /// (arXiv 2212.04089).
    ///
    /// @param lambda one scale for the whole sum; 0.3 is the usual choice for eight tasks
    /// @param normalize divide the sum by the sum of the members' weights, as mergekit can
    record TaskArithmetic(double lambda, boolean normalize) implements MergeMethod {
        static final Bound LAMBDA = Bound.anyNumber("lambda");
        static final double DEFAULT_LAMBDA = 0.3;

        public TaskArithmetic {
            LAMBDA.require(lambda);
        }

        public TaskArithmetic(double lambda) {
            this(lambda, false);
        }

        @Override
        public String id() {
            return "task_arithmetic";
        }

        @Override
        public SequencedMap<String, String> options() {
            return sorted(
                    Map.of(
                            "lambda", Double.toString(lambda),
                            "normalize", Boolean.toString(normalize)));
        }
    }

    /// TIES: of each task vector only the largest entries are kept, every entry of the merge takes
    /// the sign with the larger total mass, and the mean is taken over those who agree (arXiv
    /// 2306.01708, algorithm 1).
    ///
    /// @param density how much of a task vector is kept, as a share of its entries; a member may
    ///   state its own
    /// @param lambda scale of the merged task vector
    /// @param scope where the largest entries are looked for
    /// @param normalize divide by the weights of those who agree (the paper); without it their sum
    record Ties(double density, double lambda, TrimScope scope, boolean normalize)
            implements MergeMethod {
        static final Bound DENSITY = Bound.above("density", 0, 1);
        static final Bound LAMBDA = Bound.anyNumber("lambda");
        static final double DEFAULT_DENSITY = 0.2;
        static final double DEFAULT_LAMBDA = 1.0;

        public Ties {
            DENSITY.require(density);
            LAMBDA.require(lambda);
        }

        public Ties(double density, double lambda, TrimScope scope) {
            this(density, lambda, scope, true);
        }

        @Override
        public String id() {
            return "ties";
        }

        @Override
        public SequencedMap<String, String> options() {
            return sorted(
                    Map.of(
                            "density", Double.toString(density),
                            "lambda", Double.toString(lambda),
                            "trim", scope.id(),
                            "normalize", Boolean.toString(normalize)));
        }
    }

    /// DivMerge: the coefficients of the task vectors are learnt so that the merged model answers
    /// every task's calibration inputs as that task's expert does (arXiv 2509.02108, equations 3
    /// and 4). No labels are used, and the coefficients are not constrained.
    ///
    /// @param granularity one coefficient a task, or one a task and layer group
    /// @param divergence how a difference between two answers is measured
    /// @param learningRate Adam's step; the paper uses 0.01
    /// @param samplesPerStep calibration items of each task a step looks at; the paper uses 4
    /// @param maxSteps when to stop at the latest
    /// @param calibrationItems at most how many items of each task's calibration set are used
    /// @param evaluateEvery after how many steps the loss over all items is measured
    /// @param patience how many measurements in a row may bring no improvement before it stops
    /// @param minImprovement the relative fall of that loss which counts as an improvement
    /// @param seed which items a step looks at; the same seed, the same coefficients
    record DivMerge(
            Granularity granularity,
            Divergence divergence,
            double learningRate,
            int samplesPerStep,
            int maxSteps,
            int calibrationItems,
            int evaluateEvery,
            int patience,
            double minImprovement,
            long seed)
            implements MergeMethod {
        static final Bound LEARNING_RATE = Bound.above("learning_rate", 0, 1);
        static final Bound SAMPLES_PER_STEP = Bound.from("samples_per_step", 1, 1024);
        static final Bound MAX_STEPS = Bound.from("max_steps", 0, 100_000);
        static final Bound CALIBRATION_ITEMS = Bound.from("calibration_items", 1, 100_000);
        static final Bound EVALUATE_EVERY = Bound.from("evaluate_every", 1, 100_000);
        static final Bound PATIENCE = Bound.from("patience", 1, 100_000);
        static final Bound MIN_IMPROVEMENT = Bound.from("min_improvement", 0, 1);

        private static final DivMerge DEFAULTS =
                new DivMerge(Granularity.LAYER, Divergence.JS, 0.01, 4, 200, 64, 25, 3, 0.01, 17);

        public DivMerge {
            LEARNING_RATE.require(learningRate);
            SAMPLES_PER_STEP.require(samplesPerStep);
            MAX_STEPS.require(maxSteps);
            CALIBRATION_ITEMS.require(calibrationItems);
            EVALUATE_EVERY.require(evaluateEvery);
            PATIENCE.require(patience);
            MIN_IMPROVEMENT.require(minImprovement);
        }

        /// Layer-level coefficients and the Jensen-Shannon divergence with the paper's optimiser.
        public static DivMerge defaults() {
            return DEFAULTS;
        }

        @Override
        public String id() {
            return "divmerge";
        }

        @Override
        public SequencedMap<String, String> options() {
            return sorted(
                    Map.of(
                            "granularity", granularity.id(),
                            "divergence", divergence.id(),
                            "learning_rate", Double.toString(learningRate),
                            "samples_per_step", Integer.toString(samplesPerStep),
                            "max_steps", Integer.toString(maxSteps),
                            "calibration_items", Integer.toString(calibrationItems),
                            "evaluate_every", Integer.toString(evaluateEvery),
                            "patience", Integer.toString(patience),
                            "min_improvement", Double.toString(minImprovement),
                            "seed", Long.toString(seed)));
        }
    }

    /// The method's name.
    String id();

    /// Every parameter as text under its name, sorted, as [#of(String, Map)] reads them.
    SequencedMap<String, String> options();

    /// Changes whenever the same inputs and options may give other weights.
    default String version() {
        return switch (this) {
            case WeightAveraging _, TaskArithmetic _, Ties _, DivMerge _ -> "1";
        };
    }

    /// Whether the calibration inputs have a part in the result.
    default boolean usesCalibration() {
        return switch (this) {
            case DivMerge _ -> true;
            case WeightAveraging _, TaskArithmetic _, Ties _ -> false;
        };
    }

    /// A method from its name and options; an option left out has its default.
    ///
    /// @throws RefusedException with every bad option at once
    static MergeMethod of(String id, Map<String, String> options) {
        return MethodReader.read(id, options);
    }

    private static SequencedMap<String, String> sorted(Map<String, String> options) {
        return new TreeMap<>(options);
    }
}
