package dev.tributary.merging.method;

import java.util.List;

/// A method whose coefficients of the task vectors are learnt before the merge, by descent on a
/// loss of the merged model's answers.
public interface LearnsCoefficients extends MergeMethod {
    /// Activations kept for the backward pass, as multiples of the weights: generous for the small
    /// batches of an optimisation step.
    int ACTIVATION_SHARE = 2;

    /// Which coefficients there are and how they are moved.
    DescentSettings descent();

    /// How they are moved.
    default Solver solver() {
        return Solver.ADAM;
    }

    /// What is made small, over all tasks' inputs.
    OutputLoss loss();

    /// Whether the loss compares with the experts' answers, so that they have to be asked.
    boolean asksExperts();

    /// Of the experts' distributions over a vocabulary, how many tokens are compared one by one and
    /// all others as one; 0 where all are.
    default int teacherTokens() {
        return 0;
    }

    /// Where the coefficients of so many tasks start.
    double start(int tasks);

    /// Whether coefficients are kept between 0 and 1.
    boolean clamped();

    /// 2: answers are compared with exponentials of their own.
    @Override
    default String version() {
        return "2";
    }

    @Override
    default Needs needs() {
        return Needs.CALIBRATION;
    }

    @Override
    default int calibrationItems() {
        return descent().calibrationItems();
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

    /// Weights and gradients in fp32, and one batch's activations. Every step reads all task
    /// vectors twice: two operations for each byte of them.
    @Override
    default MergeCost cost(List<MergeTensor> tensors) {
        DescentSettings descent = descent();
        long steps = descent.maxSteps();
        MergeCost back = PassCost.withGradients(tensors, descent.samplesPerStep() * steps, 1);
        MergeCost checks =
                PassCost.forward(
                        tensors,
                        descent.calibrationItems() * (1 + steps / descent.evaluateEvery()));
        long elements = tensors.stream().mapToLong(MergeTensor::elements).sum();
        double streaming = 20.0 * back.bytesToRead() * steps;
        return back.holding(elements * Float.BYTES * (2 + ACTIVATION_SHARE))
                .computing(checks.operations() + streaming);
    }
}
