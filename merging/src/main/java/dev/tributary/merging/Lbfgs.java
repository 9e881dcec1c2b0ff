package dev.tributary.merging;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;

/// What limited-memory BFGS knows of a function's curvature (Nocedal and Wright, Numerical
/// Optimization, 2nd edition, algorithm 7.4): the last steps, and how the gradient changed on them.
final class Lbfgs {
    private static final int MEMORY = 12;

    /// A step on which the gradient changed less than this beside its length tells nothing.
    private static final double LEAST_CURVATURE = 1e-8;

    private final Deque<Pair> pairs = new ArrayDeque<>();

    private static final class Pair {
        private final double[] step;
        private final double[] change;
        private final double product;

        Pair(double[] step, double[] change) {
            this.step = step;
            this.change = change;
            this.product = dot(step, change);
        }
    }

    boolean knowsNothing() {
        return pairs.isEmpty();
    }

    void forget() {
        pairs.clear();
    }

    /// Takes in a step and how the gradient changed on it, unless the function curves downwards
    /// there.
    void learn(double[] step, double[] change) {
        Pair pair = new Pair(step, change);
        if (pair.product > LEAST_CURVATURE * norm(step) * norm(change)) {
            pairs.addLast(pair);
            if (pairs.size() > MEMORY) {
                pairs.removeFirst();
            }
        }
    }

    /// Where the function falls to its minimum, as far as is known; straight against the gradient
    /// where nothing is.
    double[] direction(double[] gradient) {
        double[] direction = gradient.clone();
        double[] alphas = new double[pairs.size()];
        int i = alphas.length;
        for (Iterator<Pair> latest = pairs.descendingIterator(); latest.hasNext(); ) {
            Pair pair = latest.next();
            alphas[--i] = dot(pair.step, direction) / pair.product;
            add(direction, -alphas[i], pair.change);
        }
        if (!pairs.isEmpty()) {
            Pair last = pairs.getLast();
            scale(direction, last.product / dot(last.change, last.change));
        }
        for (Pair pair : pairs) {
            double beta = dot(pair.change, direction) / pair.product;
            add(direction, alphas[i++] - beta, pair.step);
        }
        scale(direction, -1);
        return direction;
    }

    static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static double norm(double[] vector) {
        return Math.sqrt(dot(vector, vector));
    }

    static void add(double[] target, double factor, double[] vector) {
        for (int i = 0; i < target.length; i++) {
            target[i] += factor * vector[i];
        }
    }

    private static void scale(double[] vector, double factor) {
        for (int i = 0; i < vector.length; i++) {
            vector[i] *= factor;
        }
    }
}
