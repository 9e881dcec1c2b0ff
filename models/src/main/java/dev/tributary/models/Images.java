package dev.tributary.models;

/// Images as a vision transformer reads them: of one size, their channels normalised.
public final class Images {
    private final int rows;
    private final int channels;
    private final int height;
    private final int width;
    private final float[] values;

    /// @param rows how many
    /// @param channels numbers a pixel
    /// @param height pixels
    /// @param width pixels
    /// @param values `rows * channels * height * width`; not to be changed
    public Images(int rows, int channels, int height, int width, float[] values) {
        long numbers = (long) rows * channels * height * width;
        if (rows < 1 || numbers != values.length) {
            throw new IllegalArgumentException(
                    "%d images of %d x %d x %d have %d numbers"
                            .formatted(rows, channels, height, width, values.length));
        }
        this.rows = rows;
        this.channels = channels;
        this.height = height;
        this.width = width;
        this.values = values;
    }

    int rows() {
        return rows;
    }

    void refuseUnless(int wantedChannels, int wantedSize) {
        if (channels != wantedChannels || height != wantedSize || width != wantedSize) {
            throw new IllegalArgumentException(
                    "images of %d x %d x %d, the model takes %d x %d x %d"
                            .formatted(
                                    channels,
                                    height,
                                    width,
                                    wantedChannels,
                                    wantedSize,
                                    wantedSize));
        }
    }

    /// Square patches, row by row, each as one vector: channel by channel, row by row.
    float[] patches(int size) {
        float[] patches = new float[values.length];
        int at = 0;
        for (int image = 0; image < rows; image++) {
            for (int top = 0; top < height; top += size) {
                for (int left = 0; left < width; left += size) {
                    for (int channel = 0; channel < channels; channel++) {
                        for (int row = top; row < top + size; row++) {
                            int from = ((image * channels + channel) * height + row) * width + left;
                            System.arraycopy(values, from, patches, at, size);
                            at += size;
                        }
                    }
                }
            }
        }
        return patches;
    }
}
