package dev.tributary.merging.method;

import dev.tributary.tensors.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// The Gram matrix of the experts in one tensor: the inner products of their task vectors, or of
/// their weights. Every method that stays in the span of the experts needs nothing else of them to
/// find its coefficients.
///
/// Summed in fp64 over stretches of fixed length, in order, so that no bit depends on the number of
/// threads.
final class InnerProducts {
    private static final long CHUNK = 1 << 18;

    private final double[][] products;

    private InnerProducts(double[][] products) {
        this.products = products;
    }

    static InnerProducts of(MergeTensor tensor, SphereCenter center, Workers workers) {
        long elements = tensor.elements();
        int chunks = (int) ((elements + CHUNK - 1) / CHUNK);
        List<double[][]> parts =
                workers.map(
                        chunks,
                        c ->
                                part(
                                        tensor,
                                        center,
                                        c * CHUNK,
                                        Math.min(CHUNK, elements - c * CHUNK)));
        int experts = tensor.experts().size();
        double[][] sum = new double[experts][experts];
        for (double[][] part : parts) {
            for (int i = 0; i < experts; i++) {
                for (int j = 0; j <= i; j++) {
                    sum[i][j] += part[i][j];
                    sum[j][i] = sum[i][j];
                }
            }
        }
        return new InnerProducts(sum);
    }

    private static double[][] part(MergeTensor tensor, SphereCenter center, long from, long count) {
        int experts = tensor.experts().size();
        double[][] products = new double[experts][experts];
        try (Tiles tiles = new Tiles(experts)) {
            for (long at = 0; at < count; at += Tiles.SIZE) {
                int length = (int) Math.min(Tiles.SIZE, count - at);
                read(tensor, center, tiles, from + at, length);
                for (int i = 0; i < experts; i++) {
                    MemorySegment one = tiles.experts[i];
                    for (int j = 0; j <= i; j++) {
                        products[i][j] += Kernels.dot(one, tiles.experts[j], length);
                    }
                }
            }
        }
        return products;
    }

    private static void read(
            MergeTensor tensor, SphereCenter center, Tiles tiles, long from, int count) {
        if (center == SphereCenter.BASE) {
            tiles.readBase(tensor, from, count);
        }
        for (int e = 0; e < tiles.experts.length; e++) {
            if (center == SphereCenter.BASE) {
                tiles.readTaskVector(tensor, e, from, count);
            } else {
                Tiles.read(tensor.experts().get(e).stored(), from, count, tiles.experts[e]);
            }
        }
    }

    /// The linear combination of what these are the products of.
    static TensorMerge combination(MergeTensor tensor, SphereCenter center, double[] coefficients) {
        return center == SphereCenter.BASE
                ? LinearCombination.ofTaskVectors(tensor, coefficients)
                : LinearCombination.ofWeights(tensor, coefficients);
    }

    int size() {
        return products.length;
    }

    double get(int i, int j) {
        return products[i][j];
    }

    double norm(int i) {
        return Math.sqrt(products[i][i]);
    }

    /// The Euclidean norm of a linear combination.
    double norm(double[] coefficients) {
        double sum = 0;
        for (int i = 0; i < coefficients.length; i++) {
            for (int j = 0; j < coefficients.length; j++) {
                sum += coefficients[i] * coefficients[j] * products[i][j];
            }
        }
        return sum < 0 ? 0 : Math.sqrt(sum);
    }

    /// What these methods cost.
    static MergeCost cost(List<MergeTensor> tensors) {
        int experts = tensors.isEmpty() ? 0 : tensors.getFirst().experts().size();
        double elements = tensors.stream().mapToDouble(MergeTensor::elements).sum();
        return MergeCost.passes(tensors, 2, 2).computing(elements * experts * (experts + 1) * 4);
    }
}
