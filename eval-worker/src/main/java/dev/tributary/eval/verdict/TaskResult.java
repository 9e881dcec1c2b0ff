package dev.tributary.eval.verdict;

import java.util.OptionalDouble;

/// What came of scoring a generation on one task.
public sealed interface TaskResult {

    String task();

    /// The generation and the expert both answered the validation items.
    ///
    /// @param metric id of the metric the scores are in
    /// @param score score of the generation
    /// @param expertScore score of the expert itself, same items, same program
    /// @param interference mean Jensen-Shannon divergence of the two outputs, in nats
    /// @param itemsDigest digest of the validation items: only equal ones can be paired
    /// @param correct which items the generation answered correctly
    record Scored(
            String task,
            String metric,
            double score,
            double expertScore,
            double interference,
            String itemsDigest,
            CorrectItems correct)
            implements TaskResult {

        /// Score divided by the expert's; nothing when the expert's is not positive, as a
        /// correlation coefficient can be.
        public OptionalDouble retention() {
            return expertScore > 0
                    ? OptionalDouble.of(score / expertScore)
                    : OptionalDouble.empty();
        }

        public int items() {
            return correct.items();
        }
    }

    /// There is no score.
    ///
    /// @param code stable code of the failure
    /// @param sentence what was found and what to do
    record Failed(String task, String code, String sentence) implements TaskResult {}
}
