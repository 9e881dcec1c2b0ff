package dev.tributary.models;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// How a classifier's answers to one text vary, as what goes back through the model.
///
/// The Fisher information over the model's own answers is `sum_c p_c g_c g_c^T` with `g_c` the
/// gradient of class `c`'s log-likelihood. With `J` the derivatives of the logits this is `J^T
/// (diag(p) - p p^T) J`, so any factors `l l^T` of the matrix in the middle will do in the place of
/// classes, one `(J^T l)^2` each. There are fewer of them: one less than classes at most, and with
/// answers that are nearly certain far fewer that count.
final class AnswerCovariance {
    /// Factors are left out once all that are left have no more than this share of the variance.
    private static final double NEGLIGIBLE = 1e-3;

    private AnswerCovariance() {}

    /// Factors of the covariance, by a Cholesky decomposition that takes the largest pivot first.
    ///
    /// @param logits of one text
    static List<float[]> factors(float[] logits) {
        float[] logarithms = logits.clone();
        LogSoftmax.inPlace(logarithms, 1, logarithms.length);
        double[] p = new double[logarithms.length];
        double[] left = new double[p.length];
        for (int c = 0; c < p.length; c++) {
            p[c] = Math.exp(logarithms[c]);
            left[c] = p[c] * (1 - p[c]);
        }
        double all = Arrays.stream(left).sum();
        if (!Double.isFinite(all)) {
            return List.of(floats(left)); // goes back as NaN, which is told with its place
        }
        List<double[]> factors = new ArrayList<>();
        while (factors.size() < p.length - 1 && Arrays.stream(left).sum() > NEGLIGIBLE * all) {
            factors.add(next(p, left, factors));
        }
        return factors.stream().map(AnswerCovariance::floats).toList();
    }

    private static double[] next(double[] p, double[] left, List<double[]> before) {
        int pivot = 0;
        for (int c = 1; c < left.length; c++) {
            pivot = left[c] > left[pivot] ? c : pivot;
        }
        double root = Math.sqrt(left[pivot]);
        double[] factor = new double[p.length];
        for (int c = 0; c < factor.length; c++) {
            double covariance = (c == pivot ? p[c] : 0) - p[c] * p[pivot];
            for (double[] other : before) {
                covariance -= other[c] * other[pivot];
            }
            factor[c] = covariance / root;
            left[c] = Math.max(0, left[c] - factor[c] * factor[c]);
        }
        left[pivot] = 0;
        return factor;
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }
}
