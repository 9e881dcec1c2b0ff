package dev.tributary.merge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.events.CheckpointPublished;
import dev.tributary.events.ExpertRetired;
import dev.tributary.events.PoolConfigured;
import dev.tributary.events.VerdictPolicy;
import dev.tributary.schemas.AvroWireDeserializer;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.Topic;
import dev.tributary.schemas.UndecodableRecordException;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/// Turns the bytes of a pool event into what it says, or into every reason why it says nothing that
/// can be acted on. The generated classes of the events go no further than this.
final class PoolEventReader {
    private static final Pattern POOL_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

    private final AvroWireDeserializer deserializer;

    PoolEventReader(AvroWireDeserializer deserializer) {
        this.deserializer = deserializer;
    }

    /// Reads one record.
    ///
    /// @throws dev.tributary.schemas.RegistryUnavailableException when the registry does not answer
    PoolRecord read(ConsumerRecord<byte[], byte[]> source) {
        try {
            SpecificRecord event = deserializer.deserialize(source.topic(), source.value());
            return switch (event) {
                case PoolConfigured configured -> new Reading(source).configured(configured);
                case CheckpointPublished published -> new Reading(source).published(published);
                case ExpertRetired retired -> new Reading(source).retired(retired);
                case null, default ->
                        unreadable(
                                source,
                                FailureCode.UNDECODABLE_RECORD,
                                "has no value, expected an event: pools are never deleted, retire their experts instead");
            };
        } catch (UndecodableRecordException e) {
            return unreadable(
                    source, FailureCode.valueOf(e.code()), String.valueOf(e.getMessage()));
        }
    }

    private static PoolRecord unreadable(
            ConsumerRecord<byte[], byte[]> source, FailureCode code, String sentence) {
        String where = "%s-%d@%d".formatted(source.topic(), source.partition(), source.offset());
        return new PoolRecord(
                source,
                null,
                EventHeaders.text(source.headers(), "ce_id").orElse(null),
                key(source),
                null,
                List.of(new Fault(code, where, sentence)));
    }

    private static @Nullable String key(ConsumerRecord<byte[], byte[]> source) {
        byte[] key = source.key();
        return key == null ? null : new String(key, UTF_8);
    }

    /// Reads the fields of one event and collects what is wrong with them.
    private static final class Reading {
        private final ConsumerRecord<byte[], byte[]> source;
        private final List<Fault> faults = new ArrayList<>();

        Reading(ConsumerRecord<byte[], byte[]> source) {
            this.source = source;
        }

        PoolRecord configured(PoolConfigured event) {
            routing(event.getPool());
            named(event.getPool());
            limits(event.getVerdictPolicy());
            @Nullable ArtifactReference base = reference("base", event.getBase());
            return result(
                    event.getEventId(),
                    event.getPool(),
                    null,
                    () ->
                            new PoolEvent.Configured(
                                    event.getEventId(),
                                    event.getPool(),
                                    Objects.requireNonNull(base),
                                    event.getMethod(),
                                    event.getOptions(),
                                    new PoolEvent.VerdictLimits(
                                            event.getVerdictPolicy().getSignificanceLevel(),
                                            event.getVerdictPolicy().getToleratedDrop(),
                                            event.getVerdictPolicy().getLargestDetectableDrop()),
                                    event.getConfiguredAt().toEpochMilli()));
        }

        PoolRecord published(CheckpointPublished event) {
            routing(event.getPool());
            @Nullable ArtifactReference checkpoint = reference("checkpoint", event.getCheckpoint());
            @Nullable ArtifactReference definition =
                    reference("taskDefinition", event.getTaskDefinition());
            @Nullable Digest base = digest("baseDigest", event.getBaseDigest());
            return result(
                    event.getEventId(),
                    event.getPool(),
                    event.getTask(),
                    () ->
                            new PoolEvent.Published(
                                    event.getEventId(),
                                    event.getPool(),
                                    event.getTask(),
                                    Objects.requireNonNull(checkpoint),
                                    Objects.requireNonNull(base),
                                    Objects.requireNonNull(definition)));
        }

        PoolRecord retired(ExpertRetired event) {
            routing(event.getPool());
            String stated = event.getCheckpointDigest();
            @Nullable Digest checkpoint =
                    stated == null ? null : digest("checkpointDigest", stated);
            return result(
                    event.getEventId(),
                    event.getPool(),
                    event.getTask(),
                    () ->
                            new PoolEvent.Retired(
                                    event.getEventId(),
                                    event.getPool(),
                                    event.getTask(),
                                    checkpoint));
        }

        private PoolRecord result(
                String eventId,
                String pool,
                @Nullable String task,
                java.util.function.Supplier<PoolEvent> event) {
            return faults.isEmpty()
                    ? PoolRecord.of(source, event.get())
                    : new PoolRecord(source, null, eventId, pool, task, faults);
        }

        /// All events of a pool have to be in one partition, or their order is lost.
        private void routing(String pool) {
            byte[] key = source.key();
            int expected = Topic.POOL_EVENTS.partitionOf(pool);
            if (!pool.equals(key(source))) {
                fault(
                        FailureCode.MISROUTED_RECORD,
                        "key",
                        "is %s, expected the pool '%s'"
                                .formatted(key == null ? "absent" : "'" + key(source) + "'", pool));
            } else if (source.partition() != expected) {
                fault(
                        FailureCode.MISROUTED_RECORD,
                        "partition",
                        "is %d, expected %d for pool '%s': set the producer's partitioner to murmur2_random, Kafka's own"
                                .formatted(source.partition(), expected, pool));
            }
        }

        /// Names stand in logs, metrics and addresses as they are.
        private void named(String pool) {
            if (!POOL_NAME.matcher(pool).matches()) {
                fault(
                        FailureCode.BAD_OPTION,
                        "pool",
                        "is no name, expected at most 100 letters, digits, '.', '_' and '-', with a letter or digit first");
            }
        }

        private void limits(VerdictPolicy policy) {
            double level = policy.getSignificanceLevel();
            within(
                    "significanceLevel",
                    level,
                    level > 0 && level <= 0.5,
                    "more than 0 and at most 0.5");
            double tolerated = policy.getToleratedDrop();
            within(
                    "toleratedDrop",
                    tolerated,
                    tolerated >= 0 && tolerated < 1,
                    "0 or more and less than 1");
            double detectable = policy.getLargestDetectableDrop();
            within(
                    "largestDetectableDrop",
                    detectable,
                    detectable > 0 && detectable <= 1,
                    "more than 0 and at most 1");
        }

        private void within(String field, double value, boolean within, String expected) {
            if (!within) {
                fault(
                        FailureCode.BAD_OPTION,
                        "verdictPolicy." + field,
                        "is %s, expected %s".formatted(value, expected));
            }
        }

        private @Nullable ArtifactReference reference(
                String field, dev.tributary.events.ArtifactReference stated) {
            @Nullable Digest digest = digest(field + ".digest", stated.getDigest());
            try {
                return new ArtifactReference(
                        stated.getUri(),
                        digest == null ? Digest.ofText("") : digest,
                        stated.getBytes());
            } catch (RefusedException e) {
                faults.addAll(e.faults());
            } catch (IllegalArgumentException e) {
                fault(FailureCode.UNDECODABLE_RECORD, field, String.valueOf(e.getMessage()));
            }
            return null;
        }

        private @Nullable Digest digest(String field, String stated) {
            try {
                return new Digest(stated);
            } catch (IllegalArgumentException e) {
                fault(FailureCode.DIGEST_MISMATCH, field, String.valueOf(e.getMessage()));
                return null;
            }
        }

        private void fault(FailureCode code, String where, String sentence) {
            faults.add(new Fault(code, where, sentence));
        }
    }
}
