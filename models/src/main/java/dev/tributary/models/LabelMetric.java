package dev.tributary.models;

import java.util.Arrays;

/// How well predicted labels agree with the expected ones, as one number.
public enum LabelMetric implements Metric {
    /// The share of predictions that are right.
    ACCURACY("accuracy") {
        @Override
        double score(long[][] confusion, long total) {
            long right = 0;
            for (int label = 0; label < confusion.length; label++) {
                right += confusion[label][label];
            }
            return (double) right / total;
        }
    },

    /// The mean of the labels' F1 scores (van Rijsbergen 1979), over the labels that occur among
    /// the expected or the predicted ones.
    MACRO_F1("macro_f1") {
        @Override
        double score(long[][] confusion, long total) {
            double sum = 0;
            int occurring = 0;
            for (int label = 0; label < confusion.length; label++) {
                long both = expected(confusion, label) + predicted(confusion, label);
                if (both > 0) {
                    sum += 2.0 * confusion[label][label] / both;
                    occurring++;
                }
            }
            return sum / occurring;
        }
    },

    /// The correlation coefficient of Matthews (1975) in its form for any number of labels
    /// (Gorodkin 2004, eq. 8); 0 where either side has only one label.
    MATTHEWS("matthews") {
        @Override
        double score(long[][] confusion, long total) {
            double right = 0;
            double chance = 0;
            double predictedSquares = 0;
            double expectedSquares = 0;
            for (int label = 0; label < confusion.length; label++) {
                double expected = expected(confusion, label);
                double predicted = predicted(confusion, label);
                right += confusion[label][label];
                chance += expected * predicted;
                predictedSquares += predicted * predicted;
                expectedSquares += expected * expected;
            }
            double square = (double) total * total;
            double spread =
                    Math.sqrt(square - predictedSquares) * Math.sqrt(square - expectedSquares);
            return spread == 0 ? 0 : (right * total - chance) / spread;
        }
    };

    private final String id;

    LabelMetric(String id) {
        this.id = id;
    }

    @Override
    public String id() {
        return id;
    }

    /// Scores predictions; 1 is perfect.
    ///
    /// @param predicted label ids
    /// @param expected label ids, as many
    /// @param classes how many labels there are
    public double score(int[] predicted, int[] expected, int classes) {
        if (predicted.length != expected.length || predicted.length == 0) {
            throw new IllegalArgumentException(
                    "%s of %d predictions against %d labels"
                            .formatted(id, predicted.length, expected.length));
        }
        long[][] confusion = new long[classes][classes];
        for (int i = 0; i < predicted.length; i++) {
            confusion[expected[i]][predicted[i]]++;
        }
        return score(confusion, predicted.length);
    }

    /// @param confusion counts by expected, then predicted label
    abstract double score(long[][] confusion, long total);

    private static long expected(long[][] confusion, int label) {
        return Arrays.stream(confusion[label]).sum();
    }

    private static long predicted(long[][] confusion, int label) {
        return Arrays.stream(confusion).mapToLong(row -> row[label]).sum();
    }
}
