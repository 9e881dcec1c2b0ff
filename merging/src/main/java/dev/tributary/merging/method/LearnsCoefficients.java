package dev.tributary.merging.method;

/// A method whose coefficients of the task vectors are learnt before the merge, by descent on a
/// loss of the merged model's answers.
public interface LearnsCoefficients extends MergeMethod {

    /// One coefficient a task, or one a task and layer group.
    Granularity granularity();

    /// What is made small, over all tasks' inputs.
    OutputLoss loss();

    /// Whether the loss compares with the experts' answers, so that they have to be asked.
    boolean asksExperts();

    /// Where the coefficients of so many tasks start.
    double start(int tasks);

    /// Whether coefficients are kept between 0 and 1.
    boolean clamped();

    /// Adam's step.
    double learningRate();

    /// How the step shrinks from the first to the last.
    Decay decay();

    /// Calibration items of each task a step looks at.
    int samplesPerStep();

    /// When to stop at the latest.
    int maxSteps();

    /// After how many steps the loss over all items is measured.
    int evaluateEvery();

    /// How many measurements in a row may bring no improvement before it stops.
    int patience();

    /// The relative fall of that loss which counts as an improvement.
    double minImprovement();

    /// Which items a step looks at.
    long seed();

    @Override
    default Needs needs() {
        return Needs.CALIBRATION;
    }

    @Override
    default MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor -> {
            double[] coefficients = new double[inputs.tasks().size()];
            for (int e = 0; e < coefficients.length; e++) {
                coefficients[e] = inputs.coefficient(e, tensor);
            }
            return LinearCombination.ofTaskVectors(tensor, coefficients);
        };
    }
}
