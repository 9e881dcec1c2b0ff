package dev.tributary.merging.method;

/// What is to be small about one of the merged model's answers, as a number in nats and as a
/// gradient with respect to its logits.
public interface OutputLoss {

    /// What it measures, in words that follow "mean".
    String quantity();

    /// The loss of one answer; fills the gradient.
    ///
    /// @param expert the expert's log-probabilities; something else afterwards
    /// @param merged the merged model's log-probabilities
    /// @param classes how many entries of the arrays count
    /// @param gradient receives `classes` entries
    double between(double[] expert, double[] merged, int classes, double[] gradient);
}
