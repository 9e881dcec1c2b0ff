package dev.tributary.eval.scoring;

import dev.tributary.models.Scores;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/// What a model answered on a task's validation items: its choice for each item, and how probable
/// it thought each label.
final class ModelOutputs {

    private final int classes;
    private final int[] predicted;
    private final float[] logProbabilities;

    private ModelOutputs(int classes, int[] predicted, float[] logProbabilities) {
        this.classes = classes;
        this.predicted = predicted;
        this.logProbabilities = logProbabilities;
    }

    static ModelOutputs of(Scores scores) {
        return new ModelOutputs(
                scores.labels().size(), scores.predicted(), scores.logProbabilities());
    }

    int classes() {
        return classes;
    }

    /// Label ids; the caller must not change them.
    int[] predicted() {
        return predicted;
    }

    /// Row-major, one row an item; the caller must not change them.
    float[] logProbabilities() {
        return logProbabilities;
    }

    /// The first item with an output that is no number.
    int firstNonFinite() {
        for (int i = 0; i < logProbabilities.length; i++) {
            // A probability of zero is a number: its logarithm is minus infinity.
            if (Float.isNaN(logProbabilities[i])
                    || logProbabilities[i] == Float.POSITIVE_INFINITY) {
                return i / classes;
            }
        }
        return -1;
    }

    byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeInt(classes);
            out.writeInt(predicted.length);
            for (int label : predicted) {
                out.writeInt(label);
            }
            for (float value : logProbabilities) {
                out.writeFloat(value);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /// Reads what [#toBytes] gives; the caller vouches for the bytes.
    static ModelOutputs of(byte[] bytes) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            int classes = in.readInt();
            int[] predicted = new int[in.readInt()];
            for (int i = 0; i < predicted.length; i++) {
                predicted[i] = in.readInt();
            }
            float[] logProbabilities = new float[predicted.length * classes];
            for (int i = 0; i < logProbabilities.length; i++) {
                logProbabilities[i] = in.readFloat();
            }
            return new ModelOutputs(classes, predicted, logProbabilities);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
