package dev.tributary.models;

import com.fasterxml.jackson.databind.JsonNode;

/// How far positions turn queries and keys (Su et al. 2021, <https://arxiv.org/abs/2104.09864>).
///
/// @param theta wavelengths grow from 2 pi to 2 pi theta over the width of a head
/// @param scaling how they are stretched for longer inputs
/// @param factor by how much
/// @param lowFrequency of [Scaling#LLAMA3]: waves that turn less often than this in the original
///   length are stretched
/// @param highFrequency of [Scaling#LLAMA3]: waves that turn more often are left
/// @param originalPositions of [Scaling#LLAMA3]: the length trained on first
public record RotaryPositions(
        double theta,
        Scaling scaling,
        double factor,
        double lowFrequency,
        double highFrequency,
        int originalPositions) {

    /// How wavelengths are stretched.
    public enum Scaling {
        /// Not at all.
        NONE,
        /// All alike.
        LINEAR,
        /// Long ones, as Llama 3.1 does.
        LLAMA3
    }

    private static final double THETA = 10_000;

    /// From `rope_theta` and `rope_scaling` as `transformers` 4 writes them, or `rope_parameters`
    /// as 5 does.
    static RotaryPositions read(ConfigReader reader) {
        JsonNode five = reader.field("rope_parameters");
        JsonNode scaling = five.isObject() ? five : reader.field("rope_scaling");
        double theta = five.path("rope_theta").asDouble(reader.number("rope_theta", THETA));
        String type = scaling.path("rope_type").asText(scaling.path("type").asText("default"));
        double factor = scaling.path("factor").asDouble(1);
        return switch (type) {
            case "default" -> new RotaryPositions(theta, Scaling.NONE, 1, 1, 1, 1);
            case "linear" -> new RotaryPositions(theta, Scaling.LINEAR, factor, 1, 1, 1);
            case "llama3" ->
                    new RotaryPositions(
                            theta,
                            Scaling.LLAMA3,
                            factor,
                            scaling.path("low_freq_factor").asDouble(1),
                            scaling.path("high_freq_factor").asDouble(4),
                            scaling.path("original_max_position_embeddings").asInt(8192));
            default -> {
                reader.refuse(
                        "rope_type is '%s', expected one of [default, linear, llama3]"
                                .formatted(type));
                yield new RotaryPositions(theta, Scaling.NONE, 1, 1, 1, 1);
            }
        };
    }

    /// Radians a position, for each pair of a head.
    double[] frequencies(int headWidth) {
        double[] frequencies = new double[headWidth / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = scaled(Math.pow(theta, -2.0 * i / headWidth));
        }
        return frequencies;
    }

    private double scaled(double frequency) {
        return switch (scaling) {
            case NONE -> frequency;
            case LINEAR -> frequency / factor;
            case LLAMA3 -> {
                double turns = originalPositions * frequency / (2 * Math.PI);
                if (turns > highFrequency) {
                    yield frequency;
                }
                if (turns < lowFrequency) {
                    yield frequency / factor;
                }
                double left = (turns - lowFrequency) / (highFrequency - lowFrequency);
                yield (1 - left) * frequency / factor + left * frequency;
            }
        };
    }
}
