package dev.tributary.tensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A streaming JSON reader for files nobody vouches for: UTF-8 only, no key twice, shallow, and
/// every surprise is a typed refusal that names the file.
final class StrictJson implements AutoCloseable {
    /// The kinds of refusal for one sort of file.
    record Refusals(CorruptionKind malformed, CorruptionKind notUtf8, String what) {}

    static final Refusals HEADER =
            new Refusals(
                    CorruptionKind.INVALID_HEADER_DESERIALIZATION,
                    CorruptionKind.INVALID_HEADER,
                    "header");
    static final Refusals INDEX =
            new Refusals(CorruptionKind.INDEX_INVALID, CorruptionKind.INDEX_INVALID, "index");

    private static final int MAX_DEPTH = 8;
    private static final int MAX_NUMBER_LENGTH = 40;
    private static final int SURELY_LONG = 18;
    private static final int SHOWN_LENGTH = 80;
    private static final JsonFactory FACTORY =
            JsonFactory.builder()
                    .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                    .streamReadConstraints(
                            StreamReadConstraints.builder()
                                    .maxNestingDepth(MAX_DEPTH)
                                    .maxNumberLength(MAX_NUMBER_LENGTH)
                                    .maxNameLength((int) SafetensorsHeader.MAX_BYTES)
                                    .maxStringLength((int) SafetensorsHeader.MAX_BYTES)
                                    .build())
                    .build();

    private final Path file;
    private final Refusals refusals;
    private final JsonParser parser;

    private StrictJson(Path file, Refusals refusals, JsonParser parser) {
        this.file = file;
        this.refusals = refusals;
        this.parser = parser;
    }

    /// The names seen so far in one object.
    static final class Names {
        private final Set<String> seen = new HashSet<>();

        /// Makes this ready for another object.
        void clear() {
            seen.clear();
        }
    }

    static StrictJson of(Path file, byte[] json, Refusals refusals) {
        var decoder =
                StandardCharsets.UTF_8
                        .newDecoder()
                        .onMalformedInput(CodingErrorAction.REPORT)
                        .onUnmappableCharacter(CodingErrorAction.REPORT);
        try {
            return new StrictJson(
                    file,
                    refusals,
                    FACTORY.createParser(
                            new InputStreamReader(new ByteArrayInputStream(json), decoder)));
        } catch (IOException e) {
            throw new CorruptCheckpointException(
                    file, refusals.malformed(), "cannot be read: %s".formatted(e), e);
        }
    }

    /// The next token; a file that ends early is refused.
    JsonToken next() {
        @Nullable JsonToken token = nextOrEnd();
        if (token == null) {
            throw malformed("ends too early");
        }
        return token;
    }

    void beginObject() {
        beginObject(refusals.malformed(), refusals.what());
    }

    void beginObject(CorruptionKind kind, String where) {
        if (next() != JsonToken.START_OBJECT) {
            throw new CorruptCheckpointException(
                    file, kind, "%s is not a JSON object".formatted(where));
        }
    }

    /// The next name of the object being read, or null at its end.
    @Nullable String nextName(Names names) {
        if (next() == JsonToken.END_OBJECT) {
            return null;
        }
        String name = text();
        if (!names.seen.add(name)) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.DUPLICATE_KEY,
                    "the %s has the key '%s' twice, expected once: two readers could see two models"
                            .formatted(refusals.what(), shown(name)));
        }
        return name;
    }

    /// The next value, which has to be a text.
    String nextText(CorruptionKind kind, String where) {
        if (next() != JsonToken.VALUE_STRING) {
            throw new CorruptCheckpointException(
                    file, kind, "%s holds something else where a text should be".formatted(where));
        }
        return text();
    }

    /// The current value, which has to be a whole number of plain digits.
    long wholeNumber(String where) {
        String digits = text();
        if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT || digits.startsWith("-")) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.TENSOR_INVALID_INFO,
                    "%s has '%s' where a whole number of plain digits should be"
                            .formatted(where, shown(digits)));
        }
        if (digits.length() <= SURELY_LONG) {
            return Long.parseLong(digits);
        }
        BigInteger number = new BigInteger(digits);
        if (number.bitLength() > Long.SIZE - 1) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.VALIDATION_OVERFLOW,
                    "%s has the number %s, which does not fit into 63 bits"
                            .formatted(where, digits));
        }
        return number.longValue();
    }

    /// Skips the current value, whatever it is.
    void skipValue() {
        next();
        try {
            parser.skipChildren();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /// Reads to the end, where nothing but white space may stand.
    void end() {
        if (nextOrEnd() != null) {
            throw malformed("goes on after its closing brace");
        }
    }

    @Override
    public void close() {
        try {
            parser.close();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /// Some text from a file, made safe and short enough for a message.
    static String shown(String text) {
        String start = text.length() > SHOWN_LENGTH ? text.substring(0, SHOWN_LENGTH) + "…" : text;
        return start.replaceAll("\\p{C}", "?");
    }

    private @Nullable JsonToken nextOrEnd() {
        try {
            return parser.nextToken();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private String text() {
        try {
            return parser.getText();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private CorruptCheckpointException failed(IOException e) {
        if (e instanceof CharacterCodingException) {
            return new CorruptCheckpointException(
                    file,
                    refusals.notUtf8(),
                    "the %s is not valid UTF-8".formatted(refusals.what()),
                    e);
        }
        return new CorruptCheckpointException(
                file,
                refusals.malformed(),
                "the %s is not readable as JSON: %s"
                        .formatted(refusals.what(), shown(String.valueOf(e.getMessage()))),
                e);
    }

    private CorruptCheckpointException malformed(String what) {
        return new CorruptCheckpointException(
                file, refusals.malformed(), "the %s %s".formatted(refusals.what(), what));
    }
}
