package dev.tributary.schemas;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;

/// The value schema of a topic in its two forms: one record, or a union of records, in order.
///
/// @param registered as the registry knows it: what every language reads, free of hints to Java
/// @param generated as the generated classes know it: its strings are [java.lang.String]s
public record TopicSchema(Schema registered, Schema generated) {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String JAVA_HINT = "avro.java.string";

    static TopicSchema of(List<Class<? extends SpecificRecord>> recordTypes) {
        List<Schema> schemas =
                recordTypes.stream().map(type -> SpecificData.get().getSchema(type)).toList();
        Schema generated = schemas.size() == 1 ? schemas.getFirst() : Schema.createUnion(schemas);
        return new TopicSchema(withoutJavaHints(generated), generated);
    }

    /// The same schema without the hints generated classes carry.
    static Schema withoutJavaHints(Schema schema) {
        try {
            return new Schema.Parser().parse(plain(JSON.readTree(schema.toString())).toString());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("[schema] Avro printed a schema that is not JSON", e);
        }
    }

    private static JsonNode plain(JsonNode node) {
        return switch (node) {
            case ArrayNode array -> {
                ArrayNode copy = JSON.createArrayNode();
                array.forEach(element -> copy.add(plain(element)));
                yield copy;
            }
            case ObjectNode object -> {
                ObjectNode copy = JSON.createObjectNode();
                object.properties()
                        .forEach(entry -> copy.set(entry.getKey(), plain(entry.getValue())));
                boolean wasHinted = copy.remove(JAVA_HINT) != null;
                yield wasHinted && copy.size() == 1 ? copy.get("type") : copy;
            }
            default -> node;
        };
    }
}
