package dev.tributary.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.MockSchemaRegistryClient;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.apache.avro.specific.SpecificRecord;
import org.apache.avro.specific.SpecificRecordBase;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Events with random damage to their bytes: each one is read as an event that can be written
/// again, or refused in the one way that leads to the dead letters. More rounds: `-Dfuzz.rounds`.
class EventFuzzTest {
    private static final int ROUNDS = Integer.getInteger("fuzz.rounds", 60_000);

    /// Numbers as Avro writes them that claim too much, or the wrong branch of a union.
    private static final List<byte[]> NUMBERS =
            List.of(
                    varint(0),
                    varint(1),
                    varint(-1),
                    varint(-2),
                    varint(7),
                    varint(64),
                    varint(Integer.MAX_VALUE),
                    varint(Integer.MIN_VALUE),
                    varint(Long.MAX_VALUE),
                    varint(Long.MIN_VALUE),
                    new byte[] {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1},
                    new byte[] {(byte) 0x80, (byte) 0x80, 0});

    private final MockSchemaRegistryClient registry = new MockSchemaRegistryClient();
    private final List<Sample> samples = new ArrayList<>();

    private static final class Sample {
        private final Topic topic;
        private final byte[] bytes;

        Sample(Topic topic, byte[] bytes) {
            this.topic = topic;
            this.bytes = bytes;
        }
    }

    @BeforeEach
    void registered() throws Exception {
        AvroWireSerializer serializer = new AvroWireSerializer(registry);
        List<SpecificRecordBase> events = EventSamples.ofPool(3, 4);
        for (Topic topic : Topic.values()) {
            if (topic.recordTypes().isEmpty()) {
                continue;
            }
            registry.register(
                    topic.topicName() + "-value", new AvroSchema(topic.schema().registered()));
            for (SpecificRecordBase event : events) {
                if (topic.recordTypes().contains(event.getClass())) {
                    samples.add(new Sample(topic, serializer.serialize(topic.topicName(), event)));
                }
            }
        }
    }

    @Test
    void everyDamagedEventIsReadOrRefusedInTheOneWay() {
        AvroWireDeserializer deserializer = new AvroWireDeserializer(registry);
        AvroWireSerializer serializer = new AvroWireSerializer(registry);
        SplittableRandom random = new SplittableRandom(2509_02108);
        Map<String, Integer> outcomes = new TreeMap<>();
        for (int round = 0; round < ROUNDS; round++) {
            Sample sample = samples.get(random.nextInt(samples.size()));
            byte[] bytes = damaged(sample.bytes, random);
            String topic = sample.topic.topicName();
            SpecificRecord event;
            try {
                event = deserializer.deserialize(topic, bytes);
            } catch (UndecodableRecordException e) {
                outcomes.merge(e.code(), 1, Integer::sum);
                assertThat(e.getMessage()).startsWith("[" + topic + "] ");
                continue;
            }
            outcomes.merge("READ", 1, Integer::sum);
            byte[] again = serializer.serialize(topic, event);
            // Avro's equals tells a NaN from itself, bytes do not
            assertThat(serializer.serialize(topic, deserializer.deserialize(topic, again)))
                    .isEqualTo(again);
        }
        assertThat(outcomes)
                .containsOnlyKeys(
                        "READ",
                        UndecodableRecordException.UNDECODABLE_RECORD,
                        UndecodableRecordException.UNKNOWN_SCHEMA);
        assertThat(outcomes.values()).allSatisfy(times -> assertThat(times).isGreaterThan(50));
    }

    private byte[] damaged(byte[] whole, SplittableRandom random) {
        byte[] bytes = whole;
        for (int edits = random.nextInt(1, 4); edits > 0; edits--) {
            bytes =
                    switch (random.nextInt(8)) {
                        case 0 -> Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
                        case 1 -> flipped(bytes, random);
                        case 2, 3, 4 ->
                                replaced(
                                        bytes, random, NUMBERS.get(random.nextInt(NUMBERS.size())));
                        case 5 -> replaced(bytes, random, part(bytes, random));
                        case 6 ->
                                replaced(
                                        bytes,
                                        random,
                                        part(
                                                samples.get(random.nextInt(samples.size())).bytes,
                                                random));
                        default -> replaced(bytes, random, new byte[] {(byte) random.nextInt(256)});
                    };
        }
        return bytes;
    }

    private static byte[] flipped(byte[] bytes, SplittableRandom random) {
        byte[] result = bytes.clone();
        if (result.length > 0) {
            result[random.nextInt(result.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return result;
    }

    private static byte[] part(byte[] bytes, SplittableRandom random) {
        int from = random.nextInt(bytes.length + 1);
        return Arrays.copyOfRange(bytes, from, from + random.nextInt(bytes.length - from + 1));
    }

    /// With a few bytes at some place exchanged for others.
    private static byte[] replaced(byte[] bytes, SplittableRandom random, byte[] put) {
        int from = random.nextInt(bytes.length + 1);
        int to = Math.min(bytes.length, from + random.nextInt(10));
        return ByteBuffer.allocate(bytes.length - (to - from) + put.length)
                .put(bytes, 0, from)
                .put(put)
                .put(bytes, to, bytes.length - to)
                .array();
    }

    private static byte[] varint(long value) {
        long rest = (value << 1) ^ (value >> 63);
        ByteBuffer bytes = ByteBuffer.allocate(10);
        while ((rest & ~0x7FL) != 0) {
            bytes.put((byte) ((rest & 0x7F) | 0x80));
            rest >>>= 7;
        }
        bytes.put((byte) rest);
        return Arrays.copyOf(bytes.array(), bytes.position());
    }
}
