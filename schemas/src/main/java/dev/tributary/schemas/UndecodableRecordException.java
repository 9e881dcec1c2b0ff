package dev.tributary.schemas;

import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;

/// The bytes of a record are not an event of its topic, and trying again will not change that: the
/// record belongs into the dead-letter queue.
public final class UndecodableRecordException extends SerializationException {

    /// The bytes do not fit the schema they name, or the topic.
    public static final String UNDECODABLE_RECORD = "UNDECODABLE_RECORD";

    /// The registry has no schema with the id the bytes name.
    public static final String UNKNOWN_SCHEMA = "UNKNOWN_SCHEMA";

    private static final long serialVersionUID = 1;

    private final String code;

    UndecodableRecordException(String code, String sentence, @Nullable Throwable cause) {
        super(sentence, cause);
        this.code = code;
    }

    /// The stable code of the failure.
    public String code() {
        return code;
    }
}
