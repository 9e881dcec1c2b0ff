package dev.tributary.merge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.events.PoolConfigured;
import dev.tributary.events.VerdictPolicy;
import dev.tributary.schemas.Topic;
import dev.tributary.tensors.FailureCode;
import java.time.Instant;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;

class PoolEventReaderTest {
    private final EventBytes bytes = new EventBytes();
    private final PoolEventReader reader = new PoolEventReader(bytes.deserializer());

    @Test
    void aPoolsConfigurationIsRead() {
        PoolRecord record =
                read("mail.v2", configured("mail.v2", new VerdictPolicy(0.5, 0.0, 1.0)));

        assertThat(record.faults()).isEmpty();
        assertThat(record.event())
                .isInstanceOfSatisfying(
                        PoolEvent.Configured.class,
                        event ->
                                assertThat(event.limits())
                                        .isEqualTo(new PoolEvent.VerdictLimits(0.5, 0, 1)));
    }

    @Test
    void allThatIsWrongWithAConfigurationIsSaidAtOnce() {
        PoolRecord record =
                read(
                        "two\nlines",
                        configured("two\nlines", new VerdictPolicy(Double.NaN, 1.0, 1.5)));

        assertThat(record.event()).isNull();
        assertThat(record.faults())
                .allSatisfy(fault -> assertThat(fault.code()).isEqualTo(FailureCode.BAD_OPTION))
                .extracting(Object::toString)
                .containsExactly(
                        "[pool] is no name, expected at most 100 letters, digits, '.', '_' and '-',"
                                + " with a letter or digit first",
                        "[verdictPolicy.significanceLevel] is NaN, expected more than 0 and at most"
                                + " 0.5",
                        "[verdictPolicy.toleratedDrop] is 1.0, expected 0 or more and less than 1",
                        "[verdictPolicy.largestDetectableDrop] is 1.5, expected more than 0 and at"
                                + " most 1");
    }

    private PoolRecord read(String pool, SpecificRecord event) {
        int partition = Topic.POOL_EVENTS.partitionOf(pool);
        return reader.read(
                new ConsumerRecord<>(
                        EventBytes.TOPIC, partition, 7, pool.getBytes(UTF_8), bytes.of(event)));
    }

    private static PoolConfigured configured(String pool, VerdictPolicy policy) {
        return new PoolConfigured(
                "event",
                pool,
                PoolStateCodec.reference(Samples.artifact("base")),
                "divmerge",
                Map.of(),
                policy,
                Instant.EPOCH);
    }
}
