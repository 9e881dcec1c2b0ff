package dev.tributary.eval.tally;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonValue;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import dev.tributary.eval.verdict.CorrectItems;
import dev.tributary.eval.verdict.TaskResult;
import java.io.IOException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/// Writes and reads a pool's tally as JSON: what the changelog of the state store holds, readable
/// with any Kafka tool. Fields that a newer program has added are passed over.
public final class PoolTallySerde implements Serde<PoolTally> {

    private static final ObjectMapper MAPPER =
            JsonMapper.builder()
                    .addModule(new Jdk8Module())
                    .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .addMixIn(TaskResult.class, ResultKinds.class)
                    .addMixIn(CorrectItems.class, CorrectItemsText.class)
                    .build();

    @Override
    public Serializer<PoolTally> serializer() {
        return (_, tally) -> tally == null ? null : write(tally);
    }

    @Override
    @SuppressWarnings("NullAway") // Kafka's contract: null stands for a tombstone.
    public Deserializer<PoolTally> deserializer() {
        return (_, bytes) -> bytes == null ? null : read(bytes);
    }

    private static byte[] write(PoolTally tally) {
        try {
            return MAPPER.writeValueAsBytes(tally);
        } catch (JsonProcessingException e) {
            throw new SerializationException("a pool's tally cannot be written", e);
        }
    }

    private static PoolTally read(byte[] bytes) {
        try {
            return MAPPER.readValue(bytes, PoolTally.class);
        } catch (IOException e) {
            throw new SerializationException(
                    "[pool tallies] a stored tally cannot be read (%s): written by a newer release?"
                            .formatted(e.getMessage()),
                    e);
        }
    }

    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "is")
    @JsonSubTypes({
        @JsonSubTypes.Type(value = TaskResult.Scored.class, name = "scored"),
        @JsonSubTypes.Type(value = TaskResult.Failed.class, name = "failed")
    })
    private interface ResultKinds {}

    private abstract static class CorrectItemsText {

        @JsonCreator
        static CorrectItems of(String text) {
            return CorrectItems.of(text);
        }

        @JsonValue
        abstract String asText();
    }
}
