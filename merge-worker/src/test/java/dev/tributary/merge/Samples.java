package dev.tributary.merge;

import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/// Small values the tests of the decisions are written with.
final class Samples {
    static final PoolEvent.VerdictLimits LIMITS = new PoolEvent.VerdictLimits(0.01, 0.02, 0.3);

    private Samples() {}

    static Digest digest(String content) {
        return Digest.ofText(content);
    }

    static ArtifactReference artifact(String content) {
        Digest digest = digest(content);
        return new ArtifactReference("store:checkpoints/" + digest.hex(), digest, 100);
    }

    static PoolEvent.Configured configured(String pool, String method) {
        return configured("configured-" + method, pool, method, Map.of());
    }

    static PoolEvent.Configured configured(
            String eventId, String pool, String method, Map<String, String> options) {
        return new PoolEvent.Configured(
                eventId, pool, artifact("base"), method, options, LIMITS, 0);
    }

    static PoolEvent.Published published(String eventId, String pool, String task, String content) {
        return new PoolEvent.Published(
                eventId,
                pool,
                task,
                artifact(content),
                digest("base"),
                artifact("definition of " + task));
    }

    static PoolEvent.Retired retired(String pool, String task, @Nullable String content) {
        return new PoolEvent.Retired(
                "retired %s %s".formatted(task, content),
                pool,
                task,
                content == null ? null : digest(content));
    }

    static PoolState configuredPool(String pool) {
        return PoolState.unknown(pool).with(configured(pool, "divmerge"));
    }

    static PoolState publish(PoolState state, String eventId, String task, String content) {
        return state.with(published(eventId, state.pool(), task, content), digest("calibration"));
    }

    static LastGeneration generation(long number, Wish wish) {
        List<LastGeneration.Member> members =
                wish.members().stream()
                        .map(member ->
                                new LastGeneration.Member(
                                        member.task(),
                                        member.accepted().checkpoint().digest(),
                                        List.of(0.5)))
                        .toList();
        return new LastGeneration(number, wish.id(), artifact("merged"), List.of("all"), members);
    }

    static Wish wish(PoolState state) {
        return Wish.of(state).orElseThrow();
    }

    static ConsumerRecord<byte[], byte[]> record(long offset) {
        return new ConsumerRecord<>(
                "tributary.pool-events",
                0,
                offset,
                "pool".getBytes(StandardCharsets.UTF_8),
                new byte[] {1});
    }

    static OpenRecord accepted(long offset, PoolEvent event) {
        return new OpenRecord(
                PoolRecord.of(record(offset), event),
                event.pool(),
                List.of(),
                OpenRecord.Stage.ADMIT,
                false);
    }

    static OpenRecord refused(long offset, @Nullable String pool) {
        Fault fault = new Fault(FailureCode.WRONG_BASE, "a", "is of another base");
        PoolRecord read = new PoolRecord(record(offset), null, null, pool, null, List.of(fault));
        return new OpenRecord(read, pool, List.of(fault), OpenRecord.Stage.DECODE, false);
    }

    static Map<String, PoolState> states(PoolState... states) {
        Map<String, PoolState> byPool = new TreeMap<>();
        for (PoolState state : states) {
            byPool.put(state.pool(), state);
        }
        return byPool;
    }
}
