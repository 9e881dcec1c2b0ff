package dev.tributary.models;

import java.util.Optional;

/// How an image is resized, to the last bit as Pillow does it: each side in a pass of its own, the
/// width first, with weights in fixed point and 8 bits in between. Where an image becomes smaller
/// the filter becomes wider with it. In the order of Pillow's numbers.
enum Resampling {
    NEAREST(0),
    LANCZOS(3),
    BILINEAR(1),
    BICUBIC(2),
    BOX(0.5),
    HAMMING(1);

    /// Bits behind the point of a weight.
    private static final int PRECISION = 32 - 8 - 2;

    private final double support;

    /// @param support how far the filter reaches to either side
    Resampling(double support) {
        this.support = support;
    }

    /// The one of Pillow's number.
    static Optional<Resampling> of(int number) {
        return number >= 0 && number < values().length
                ? Optional.of(values()[number])
                : Optional.empty();
    }

    /// What a sample counts at this distance.
    private double filter(double x) {
        return switch (this) {
            case NEAREST -> throw new IllegalStateException("nearest weighs nothing");
            case LANCZOS -> Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0;
            case BILINEAR -> Math.max(0, 1 - Math.abs(x));
            case BICUBIC -> cubic(x);
            case BOX -> x > -0.5 && x <= 0.5 ? 1 : 0;
            case HAMMING -> hamming(x);
        };
    }

    private static double sinc(double x) {
        return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    }

    /// Keys' cubic convolution with a = -0.5.
    private static double cubic(double x) {
        double a = -0.5;
        double distance = Math.abs(x);
        if (distance < 1) {
            return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
        }
        return distance < 2 ? (((distance - 5) * distance + 8) * distance - 4) * a : 0;
    }

    private static double hamming(double x) {
        double distance = Math.abs(x);
        if (distance == 0) {
            return 1;
        }
        double angle = distance * Math.PI;
        return distance < 1 ? Math.sin(angle) / angle * (0.54 + 0.46 * Math.cos(angle)) : 0;
    }

    /// The image in another size.
    PixelImage resize(PixelImage image, int width, int height) {
        if (this == NEAREST) {
            return nearest(image, width, height);
        }
        PixelImage wide = width == image.width() ? image : along(image, width, true);
        return height == image.height() ? wide : along(wide, height, false);
    }

    private static PixelImage nearest(PixelImage image, int width, int height) {
        int channels = image.channels();
        byte[] samples = new byte[width * height * channels];
        for (int y = 0; y < height; y++) {
            int fromY = (int) ((y + 0.5) * image.height() / height);
            for (int x = 0; x < width; x++) {
                int fromX = (int) ((x + 0.5) * image.width() / width);
                System.arraycopy(
                        image.samples(),
                        (fromY * image.width() + fromX) * channels,
                        samples,
                        (y * width + x) * channels,
                        channels);
            }
        }
        return new PixelImage(width, height, channels, samples);
    }

    private PixelImage along(PixelImage image, int size, boolean horizontal) {
        int before = horizontal ? image.width() : image.height();
        int width = horizontal ? size : image.width();
        int height = horizontal ? image.height() : size;
        int channels = image.channels();
        byte[] samples = new byte[width * height * channels];
        int step = horizontal ? channels : image.width() * channels;
        for (int place = 0; place < size; place++) {
            Weights weights = weights(place, before, size);
            int others = horizontal ? height : width;
            for (int other = 0; other < others; other++) {
                int x = horizontal ? place : other;
                int y = horizontal ? other : place;
                int from =
                        horizontal
                                ? (other * image.width() + weights.first) * channels
                                : (weights.first * image.width() + other) * channels;
                for (int channel = 0; channel < channels; channel++) {
                    samples[(y * width + x) * channels + channel] =
                            weights.sum(image.samples(), from + channel, step);
                }
            }
        }
        return new PixelImage(width, height, channels, samples);
    }

    /// What the samples from the first on count, in fixed point.
    private static final class Weights {
        private final int first;
        private final int[] values;

        Weights(int first, int... values) {
            this.first = first;
            this.values = values;
        }

        private byte sum(byte[] samples, int from, int step) {
            int sum = 1 << (PRECISION - 1);
            for (int i = 0; i < values.length; i++) {
                sum += values[i] * (samples[from + i * step] & 0xff);
            }
            return (byte) Math.clamp(sum >> PRECISION, 0, 255);
        }
    }

    private Weights weights(int place, int before, int after) {
        double scale = (double) before / after;
        double stretch = Math.max(1, scale);
        double reach = support * stretch;
        double centre = (place + 0.5) * scale;
        int first = Math.max(0, (int) (centre - reach + 0.5));
        int end = Math.min(before, (int) (centre + reach + 0.5));
        double[] exact = new double[end - first];
        double sum = 0;
        for (int i = 0; i < exact.length; i++) {
            exact[i] = filter((i + first - centre + 0.5) / stretch);
            sum += exact[i];
        }
        int[] fixed = new int[exact.length];
        for (int i = 0; i < exact.length; i++) {
            double value = exact[i] / sum * (1 << PRECISION);
            fixed[i] = (int) (value < 0 ? value - 0.5 : value + 0.5);
        }
        return new Weights(first, fixed);
    }
}
