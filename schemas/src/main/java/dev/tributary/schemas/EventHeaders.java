package dev.tributary.schemas;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import org.apache.avro.Schema;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.avro.specific.SpecificRecord;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/// The headers around an event: CloudEvents 1.0 in binary mode, which any tool can read without the
/// schema, and the W3C trace context, which ties everything that follows from one event together.
public final class EventHeaders {

    /// W3C trace context: `00-<trace id>-<span id>-<flags>`.
    public static final String TRACEPARENT = "traceparent";

    private static final Pattern TRACE_CONTEXT =
            Pattern.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}");
    private static final String TRACESTATE = "tracestate";
    private static final String TYPE_PREFIX = "dev.tributary.";
    private static final String TYPE_VERSION = ".v1";

    private EventHeaders() {}

    /// Headers of an event that follows from nothing: a trace begins here.
    ///
    /// @param source the program that writes it, for example `/merge-worker/0`
    /// @param time when it happened
    public static Headers of(SpecificRecordBase event, String source, Instant time) {
        Headers headers = new RecordHeaders();
        put(headers, "ce_specversion", "1.0");
        put(headers, "ce_id", id(event));
        put(headers, "ce_source", source);
        put(headers, "ce_type", type(event));
        put(headers, "ce_time", time.toString());
        text(event, "pool").ifPresent(pool -> put(headers, "ce_subject", pool));
        put(headers, "content-type", "application/avro");
        put(headers, TRACEPARENT, newTraceparent());
        return headers;
    }

    /// Headers of an event that follows from another one: its trace goes on, if it has a valid one.
    public static Headers following(
            Headers cause, SpecificRecordBase event, String source, Instant time) {
        Headers headers = of(event, source, time);
        traceparent(cause)
                .ifPresent(context -> {
                    headers.remove(TRACEPARENT);
                    put(headers, TRACEPARENT, context);
                    text(cause, TRACESTATE).ifPresent(state -> put(headers, TRACESTATE, state));
                });
        return headers;
    }

    /// The trace context of a record, if it carries a valid one.
    public static Optional<String> traceparent(Headers headers) {
        return text(headers, TRACEPARENT)
                .filter(context -> TRACE_CONTEXT.matcher(context).matches());
    }

    /// The value of a header as text, the last one where several have the name.
    public static Optional<String> text(Headers headers, String name) {
        return Optional.ofNullable(headers.lastHeader(name))
                .map(Header::value)
                .map(value -> new String(value, UTF_8));
    }

    /// The CloudEvents type of an event.
    public static String type(SpecificRecord event) {
        return TYPE_PREFIX + event.getSchema().getName() + TYPE_VERSION;
    }

    /// Its own id where it has one, else one that follows from its content: the same event always
    /// has the same id.
    private static String id(SpecificRecordBase event) {
        return text(event, "eventId").orElseGet(() -> contentId(event));
    }

    private static String contentId(SpecificRecordBase event) {
        try {
            var bytes =
                    new BinaryMessageEncoder<IndexedRecord>(
                                    event.getSpecificData(), event.getSchema())
                            .encode(event);
            byte[] content = new byte[bytes.remaining()];
            bytes.get(content);
            return UUID.nameUUIDFromBytes(content).toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Optional<String> text(SpecificRecord event, String fieldName) {
        Schema.Field field = event.getSchema().getField(fieldName);
        return field == null
                ? Optional.empty()
                : Optional.ofNullable(event.get(field.pos())).map(Object::toString);
    }

    private static String newTraceparent() {
        byte[] random = new byte[24];
        ThreadLocalRandom.current().nextBytes(random);
        random[0] |= 1; // neither id may be all zeros
        random[16] |= 1;
        HexFormat hex = HexFormat.of();
        return "00-%s-%s-01".formatted(hex.formatHex(random, 0, 16), hex.formatHex(random, 16, 24));
    }

    private static void put(Headers headers, String name, String value) {
        headers.add(name, value.getBytes(UTF_8));
    }
}
