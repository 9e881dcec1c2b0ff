package dev.tributary.merging;

import java.util.Arrays;

/// The answer to a question for a share of the tasks.
public final class ShareAnswer {
    private final double[] losses;
    private final double[] gradient;

    /// An answer.
    ///
    /// @param losses of the share's tasks
    /// @param gradient what these tasks add to it, task by task and group by group of all tasks;
    ///   empty where it was not asked for
    public ShareAnswer(double[] losses, double[] gradient) {
        this.losses = losses.clone();
        this.gradient = gradient.clone();
    }

    /// Of the share's tasks.
    public double[] losses() {
        return losses.clone();
    }

    /// What the share's tasks add to the gradient.
    public double[] gradient() {
        return gradient.clone();
    }

    /// Whether all numbers are the same, to the bit.
    boolean same(ShareAnswer other) {
        return Arrays.equals(losses, other.losses) && Arrays.equals(gradient, other.gradient);
    }
}
