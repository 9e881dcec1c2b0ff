package dev.tributary.models;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;

/// Images as data URIs (RFC 2397), `data:image/png;base64,...`: bytes that can stand in a line of
/// JSON, are carried and identified like texts, and need no file of their own.
final class ImageData {
    private static final String SCHEME = "data:";
    private static final String ENCODING = ";base64,";
    private static final int LONGEST_START = 8;

    private ImageData() {}

    /// The formats that are read.
    enum Format {
        PNG("image/png", "\u0089PNG"),
        JPEG("image/jpeg", "\u00ff\u00d8\u00ff"),
        GIF("image/gif", "GIF8"),
        BMP("image/bmp", "BM");

        private final String type;
        private final String start;

        /// @param start the first bytes of a file, a character each
        Format(String type, String start) {
            this.type = type;
            this.start = start;
        }

        /// The format of a file, by its first bytes.
        static Optional<Format> of(byte[] file) {
            int read = Math.min(file.length, LONGEST_START);
            String bytes = new String(file, 0, read, StandardCharsets.ISO_8859_1);
            return Arrays.stream(values())
                    .filter(format -> bytes.startsWith(format.start))
                    .findFirst();
        }
    }

    static boolean isUri(String text) {
        return text.startsWith(SCHEME);
    }

    static String uri(Format format, byte[] file) {
        return SCHEME + format.type + ENCODING + Base64.getEncoder().encodeToString(file);
    }

    /// The file in a data URI; empty where it is none of an image in base64.
    static Optional<byte[]> file(String uri) {
        int data = uri.indexOf(ENCODING);
        if (!uri.startsWith(SCHEME + "image/") || data < 0) {
            return Optional.empty();
        }
        byte[] encoded =
                uri.substring(data + ENCODING.length()).getBytes(StandardCharsets.US_ASCII);
        try {
            return Optional.of(Base64.getDecoder().decode(encoded));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }
}
