package dev.tributary.merge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.events.ArtifactReference;
import dev.tributary.events.CheckpointPublished;
import dev.tributary.events.ExpertRetired;
import dev.tributary.events.PoolConfigured;
import dev.tributary.events.VerdictPolicy;
import dev.tributary.merging.method.MethodCatalogue;
import dev.tributary.schemas.Topic;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.FolderArtifactStore;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Events that are well written and say what nobody should: each one is understood and decided
/// upon, or answered with coded sentences; none stops its reader. More rounds: `-Dfuzz.rounds`.
class PoolEventFuzzTest {
    private static final int ROUNDS = Integer.getInteger("fuzz.rounds", 20_000);
    private static final String HEX = "0123456789abcdef".repeat(4);

    private static final List<String> TEXTS =
            List.of(
                    "",
                    " ",
                    "mail",
                    "Mail",
                    "spam",
                    "\0",
                    "\n",
                    "a/b",
                    "..",
                    "../../etc/passwd",
                    "\u202egnp",
                    "😀",
                    "x".repeat(300),
                    "{}",
                    "null",
                    "%s%n");
    private static final List<String> ADDRESSES =
            List.of(
                    "store:checkpoints/" + HEX,
                    "store:tasks/" + HEX,
                    "store:generations/mail/0000000001",
                    "store:checkpoints/../tasks/" + HEX,
                    "store:",
                    "file:///etc",
                    "hf://org/model",
                    "checkpoints/" + HEX,
                    "store:checkpoints//" + HEX,
                    "store:checkpoints/" + HEX + "\n");
    private static final List<String> DIGESTS =
            List.of(
                    "sha256:" + HEX,
                    "sha256:" + HEX.toUpperCase(java.util.Locale.ROOT),
                    "sha256:" + HEX.substring(1),
                    HEX,
                    "md5:" + HEX.substring(32),
                    "",
                    "sha256:");
    private static final List<String> OPTIONS =
            List.of(
                    "lambda",
                    "density",
                    "seed",
                    "granularity",
                    "max_steps",
                    "include",
                    "Lambda",
                    "");
    private static final List<String> OPTION_VALUES =
            List.of(
                    "0.3",
                    "1",
                    "-1",
                    "NaN",
                    "Infinity",
                    "1e400",
                    "0x1",
                    "",
                    " ",
                    "true",
                    "layer",
                    "*",
                    "[",
                    "[{\"filter\":\"(\",\"value\":1}]",
                    "9223372036854775808");
    private static final List<Double> NUMBERS =
            List.of(
                    0.0,
                    -0.0,
                    0.01,
                    1.0,
                    -1.0,
                    2.0,
                    Double.NaN,
                    Double.POSITIVE_INFINITY,
                    Double.MIN_VALUE,
                    Double.MAX_VALUE);
    private static final List<Long> SIZES = List.of(0L, 1L, -1L, Long.MAX_VALUE, Long.MIN_VALUE);

    @TempDir private Path folder;

    @Test
    void everyEventIsDecidedUponOrAnsweredWithCodedSentences() {
        EventBytes bytes = new EventBytes();
        PoolEventReader reader = new PoolEventReader(bytes.deserializer());
        Admitter admitter = new Admitter(FolderArtifactStore.open(folder));
        SplittableRandom random = new SplittableRandom(2505_23859);
        Map<FailureCode, Integer> refusals = new EnumMap<>(FailureCode.class);
        int understood = 0;
        for (int round = 0; round < ROUNDS; round++) {
            String pool = text(random);
            SpecificRecord event = event(pool, random);
            PoolRecord record = reader.read(record(pool, bytes.of(event), random));
            if (record.event() == null) {
                count(record.faults(), refusals);
                continue;
            }
            understood++;
            try {
                PoolState state = admitter.admit(state(record.event(), random), record.event());
                assertThat(PoolStateCodec.state(PoolStateCodec.event(state))).isEqualTo(state);
            } catch (RefusedException e) {
                count(e.faults(), refusals);
            } catch (RuntimeException e) {
                throw new AssertionError("round %d: %s".formatted(round, event), e);
            }
        }
        assertThat(understood).isGreaterThan(ROUNDS / 50);
        assertThat(refusals)
                .containsKeys(
                        FailureCode.UNSAFE_PATH,
                        FailureCode.DIGEST_MISMATCH,
                        FailureCode.MISROUTED_RECORD,
                        FailureCode.UNKNOWN_POOL,
                        FailureCode.UNKNOWN_METHOD,
                        FailureCode.BAD_OPTION,
                        FailureCode.ARTIFACT_MISSING);
    }

    private static void count(List<Fault> faults, Map<FailureCode, Integer> refusals) {
        assertThat(faults).isNotEmpty();
        for (Fault fault : faults) {
            assertThat(fault.sentence()).isNotBlank();
            refusals.merge(fault.code(), 1, Integer::sum);
        }
    }

    /// Of a pool that is not known, or that was configured and has one expert.
    private static @Nullable PoolState state(PoolEvent event, SplittableRandom random) {
        if (random.nextBoolean()) {
            return null;
        }
        return Samples.publish(Samples.configuredPool(event.pool()), "first", "spam", "expert");
    }

    private static SpecificRecord event(String pool, SplittableRandom random) {
        return switch (random.nextInt(3)) {
            case 0 ->
                    PoolConfigured.newBuilder()
                            .setEventId(text(random))
                            .setPool(pool)
                            .setBase(artifact(random))
                            .setMethod(method(random))
                            .setOptions(options(random))
                            .setVerdictPolicy(
                                    new VerdictPolicy(
                                            pick(NUMBERS, random),
                                            pick(NUMBERS, random),
                                            pick(NUMBERS, random)))
                            .setConfiguredAt(time(random))
                            .build();
            case 1 ->
                    CheckpointPublished.newBuilder()
                            .setEventId(text(random))
                            .setPool(pool)
                            .setTask(text(random))
                            .setCheckpoint(artifact(random))
                            .setBaseDigest(pick(DIGESTS, random))
                            .setTaskDefinition(artifact(random))
                            .setPublisher(text(random))
                            .setPublishedAt(time(random))
                            .build();
            default ->
                    ExpertRetired.newBuilder()
                            .setEventId(text(random))
                            .setPool(pool)
                            .setTask(text(random))
                            .setCheckpointDigest(
                                    random.nextBoolean() ? null : pick(DIGESTS, random))
                            .setReason(text(random))
                            .setRetiredAt(time(random))
                            .build();
        };
    }

    private static ConsumerRecord<byte[], byte[]> record(
            String pool, byte[] value, SplittableRandom random) {
        byte[] key = (random.nextInt(8) == 0 ? text(random) : pool).getBytes(UTF_8);
        int partition = random.nextInt(8) == 0 ? 0 : Topic.POOL_EVENTS.partitionOf(pool);
        return new ConsumerRecord<>(EventBytes.TOPIC, partition, 7, key, value);
    }

    private static ArtifactReference artifact(SplittableRandom random) {
        return new ArtifactReference(
                mostly(ADDRESSES, random), mostly(DIGESTS, random), mostly(SIZES, random));
    }

    private static Instant time(SplittableRandom random) {
        return Instant.ofEpochMilli(mostly(SIZES, random));
    }

    private static String method(SplittableRandom random) {
        List<String> known = List.copyOf(MethodCatalogue.ids());
        return random.nextInt(6) == 0 ? text(random) : pick(known, random);
    }

    private static Map<String, String> options(SplittableRandom random) {
        Map<String, String> options = new TreeMap<>();
        for (int option = random.nextInt(4); option > 0; option--) {
            options.put(pick(OPTIONS, random), pick(OPTION_VALUES, random));
        }
        return options;
    }

    private static String text(SplittableRandom random) {
        return pick(TEXTS, random);
    }

    private static <T> T pick(List<T> values, SplittableRandom random) {
        return values.get(random.nextInt(values.size()));
    }

    /// The first, which is sound, or any.
    private static <T> T mostly(List<T> values, SplittableRandom random) {
        return random.nextInt(3) > 0 ? values.getFirst() : pick(values, random);
    }
}
