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
        return score(confusion(predicted, expected, classes), predicted.length);
    }

    /// How much each item moves the score, by the jackknife (Quenouille 1956; Tukey 1958): what it
    /// takes away when it is left out, times the number of the others.
    ///
    /// @return one number an item; their mean square divided by their number is the score's
    ///   variance over draws of items
    double[] influences(int[] predicted, int[] expected, int classes) {
        double whole = score(predicted, expected, classes);
        long[][] confusion = confusion(predicted, expected, classes);
        int others = predicted.length - 1;
        double[] influences = new double[predicted.length];
        if (others == 0) {
            return influences;
        }
        for (int i = 0; i < influences.length; i++) {
            confusion[expected[i]][predicted[i]]--;
            influences[i] = others * (whole - score(confusion, others));
            confusion[expected[i]][predicted[i]]++;
        }
        return influences;
    }

    private static long[][] confusion(int[] predicted, int[] expected, int classes) {
        long[][] confusion = new long[classes][classes];
        for (int i = 0; i < predicted.length; i++) {
            confusion[expected[i]][predicted[i]]++;
        }
        return confusion;
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
