package dev.tributary.models;

import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.Optional;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/// An image of 8 bits a sample, as Pillow's modes `RGB` and `L` have it. Samples are unsigned,
/// pixel by pixel, row by row, 3 or 1 a pixel, and not to be changed.
final class PixelImage {
    private final int width;
    private final int height;
    private final int channels;
    private final byte[] samples;

    PixelImage(int width, int height, int channels, byte[] samples) {
        this.width = width;
        this.height = height;
        this.channels = channels;
        this.samples = samples;
    }

    int width() {
        return width;
    }

    int height() {
        return height;
    }

    int channels() {
        return channels;
    }

    byte[] samples() {
        return samples;
    }

    /// No more pixels are decoded: a small file can claim to be a huge image.
    private static final long MOST_PIXELS = 100_000_000;

    static {
        System.setProperty("java.awt.headless", "true");
        ImageIO.setUseCache(false);
    }

    /// What keeps an example from being decoded.
    static Optional<String> problem(String uri) {
        try {
            BufferedImage _ = read(uri, reader -> reader.read(0));
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    /// @param channels 3 for colours, 1 for their brightness
    static PixelImage decode(String uri, int channels) {
        try {
            return of(read(uri, reader -> reader.read(0)), channels);
        } catch (IOException e) {
            throw new RefusedException(
                    new Fault(FailureCode.BAD_TASK, "an image", String.valueOf(e.getMessage())), e);
        }
    }

    private interface Use<T> {
        T of(ImageReader reader) throws IOException;
    }

    private static <T> T read(String uri, Use<T> use) throws IOException {
        byte[] file =
                ImageData.file(uri)
                        .orElseThrow(() -> new IOException("is no data URI of an image in base64"));
        try (ImageInputStream in = ImageIO.createImageInputStream(new ByteArrayInputStream(file))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new IOException("is of no known format");
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(in);
                long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
                if (pixels > MOST_PIXELS) {
                    throw new IOException(
                            "has %d pixels, more than %d".formatted(pixels, MOST_PIXELS));
                }
                return use.of(reader);
            } catch (IOException | RuntimeException e) {
                throw new IOException("cannot be decoded (%s)".formatted(e.getMessage()), e);
            } finally {
                reader.dispose();
            }
        }
    }

    /// Samples of greys are taken as they are: Java takes them for linear light, which no file
    /// means.
    private static PixelImage of(BufferedImage image, int channels) {
        int width = image.getWidth();
        int height = image.getHeight();
        byte[] samples = new byte[width * height * channels];
        boolean grey =
                image.getRaster().getNumBands() < 3
                        && !(image.getColorModel() instanceof IndexColorModel);
        int at = 0;
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int rgb = grey ? 0x10101 * grey(image.getRaster(), x, y) : image.getRGB(x, y);
                int red = (rgb >> 16) & 0xff;
                int green = (rgb >> 8) & 0xff;
                int blue = rgb & 0xff;
                if (channels == 1) {
                    samples[at++] =
                            (byte) ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16);
                } else {
                    samples[at++] = (byte) red;
                    samples[at++] = (byte) green;
                    samples[at++] = (byte) blue;
                }
            }
        }
        return new PixelImage(width, height, channels, samples);
    }

    private static int grey(Raster raster, int x, int y) {
        int bits = raster.getSampleModel().getSampleSize(0);
        int sample = raster.getSample(x, y, 0);
        return bits > 8 ? sample >> (bits - 8) : sample * 255 / ((1 << bits) - 1);
    }

    /// A square of its centre; black where it is smaller.
    PixelImage centre(int side) {
        byte[] cut = new byte[side * side * channels];
        int top = Math.floorDiv(height - side, 2);
        int left = Math.floorDiv(width - side, 2);
        for (int y = Math.max(0, -top); y < Math.min(side, height - top); y++) {
            int from = Math.max(0, -left);
            int count = Math.min(side, width - left) - from;
            System.arraycopy(
                    samples,
                    ((top + y) * width + left + from) * channels,
                    cut,
                    (y * side + from) * channels,
                    count * channels);
        }
        return new PixelImage(side, side, channels, cut);
    }
}
