package dev.tributary.merge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.events.DeadLetter;
import dev.tributary.events.GenerationFailed;
import dev.tributary.events.GenerationMember;
import dev.tributary.events.GenerationMerged;
import dev.tributary.schemas.AvroWireSerializer;
import dev.tributary.schemas.DeadLetterRecord;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.Topic;
import dev.tributary.tensors.Fault;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/// Writes an answer as the records of its transaction. All of them go to the partition with the
/// number of the one the events came from, so that a pool's history has one order everywhere.
final class AnswerRecords {
    private final AvroWireSerializer serializer;
    private final int partition;
    private final String group;
    private final String worker;
    private final String codeVersion;

    AnswerRecords(
            AvroWireSerializer serializer,
            int partition,
            String group,
            String worker,
            String codeVersion) {
        this.serializer = serializer;
        this.partition = partition;
        this.group = group;
        this.worker = worker;
        this.codeVersion = codeVersion;
    }

    /// The records of an answer, in the order they are to be sent.
    ///
    /// @throws dev.tributary.schemas.RegistryUnavailableException when the registry does not answer
    List<ProducerRecord<byte[], byte[]>> of(Answer answer, Instant now) {
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        switch (answer.outcome()) {
            case Answer.Merged merged ->
                    records.add(
                            event(
                                    Topic.GENERATIONS,
                                    merged.generation().wish().pool(),
                                    merged(merged, now),
                                    cause(answer, merged.generation().wish().pool()),
                                    now));
            case Answer.Failed failed ->
                    records.add(
                            event(
                                    Topic.GENERATIONS,
                                    failed.wish().pool(),
                                    failed(failed, now),
                                    cause(answer, failed.wish().pool()),
                                    now));
            case null -> {}
        }
        for (PoolState state : answer.states()) {
            records.add(
                    event(
                            Topic.POOL_STATES,
                            state.pool(),
                            PoolStateCodec.event(state),
                            cause(answer, state.pool()),
                            now));
        }
        for (OpenRecord refused : answer.refused()) {
            records.add(queued(refused));
            records.add(
                    event(
                            Topic.DEAD_LETTERS,
                            refused.read().pool(),
                            deadLetter(refused, now),
                            refused.read().source().headers(),
                            now));
        }
        return records;
    }

    /// What an answer about a pool follows from: the newest of its events.
    private static Headers cause(Answer answer, String pool) {
        return answer.records().stream()
                .filter(record -> pool.equals(record.pool()) && !record.refused())
                .reduce((_, later) -> later)
                .<Headers>map(record -> record.read().source().headers())
                .orElseGet(RecordHeaders::new);
    }

    private ProducerRecord<byte[], byte[]> event(
            Topic topic,
            @Nullable String key,
            SpecificRecordBase event,
            Headers cause,
            Instant now) {
        return new ProducerRecord<>(
                topic.topicName(),
                partition,
                null,
                key == null ? null : key.getBytes(UTF_8),
                serializer.serialize(topic.topicName(), event),
                EventHeaders.following(cause, event, "/merge-worker/" + worker, now));
    }

    private ProducerRecord<byte[], byte[]> queued(OpenRecord refused) {
        return new DeadLetterRecord(
                        refused.read().source(),
                        group,
                        code(refused.faults()),
                        String.join("\n", sentences(refused.faults())),
                        refused.stage().text(),
                        worker,
                        null)
                .toProducerRecord(Topic.POOL_EVENTS_DLQ);
    }

    private DeadLetter deadLetter(OpenRecord refused, Instant now) {
        return DeadLetter.newBuilder()
                .setCode(code(refused.faults()))
                .setSentences(sentences(refused.faults()))
                .setTopic(refused.read().source().topic())
                .setPartition(refused.read().source().partition())
                .setOffset(refused.offset())
                .setEventId(refused.read().eventId())
                .setPool(refused.read().pool())
                .setTask(refused.read().task())
                .setStage(refused.stage().text())
                .setWorker(worker)
                .setFailedAt(now)
                .build();
    }

    private GenerationMerged merged(Answer.Merged merged, Instant now) {
        MergedGeneration generation = merged.generation();
        Wish wish = generation.wish();
        LastGeneration before = merged.before();
        return GenerationMerged.newBuilder()
                .setPool(wish.pool())
                .setNumber(generation.number())
                .setGenerationId(wish.id().value())
                .setArtifact(PoolStateCodec.reference(generation.artifact()))
                .setBase(PoolStateCodec.reference(wish.base()))
                .setMethod(wish.method().id())
                .setOptions(wish.method().options())
                .setMembers(generation.members().stream().map(AnswerRecords::member).toList())
                .setGroups(generation.groups())
                .setCovers(merged.covers())
                .setSuperseded(merged.superseded())
                .setAddedTasks(added(wish, before))
                .setRemovedTasks(removed(wish, before))
                .setLossBefore(generation.lossBefore())
                .setLossAfter(generation.lossAfter())
                .setSteps(generation.steps())
                .setSeconds(generation.seconds())
                .setReusedArtifact(generation.reused())
                .setPreviousNumber(before == null ? null : before.number())
                .setCodeVersion(codeVersion)
                .setMergedAt(now)
                .build();
    }

    private GenerationFailed failed(Answer.Failed failed, Instant now) {
        return GenerationFailed.newBuilder()
                .setPool(failed.wish().pool())
                .setGenerationId(failed.wish().id().value())
                .setMethod(failed.wish().method().id())
                .setCovers(failed.covers())
                .setCode(code(failed.faults()))
                .setSentences(sentences(failed.faults()))
                .setMembers(
                        failed.wish().members().stream()
                                .map(member ->
                                        member(new MergedGeneration.Part(member, null, List.of())))
                                .toList())
                .setCodeVersion(codeVersion)
                .setFailedAt(now)
                .build();
    }

    private static GenerationMember member(MergedGeneration.Part part) {
        AcceptedCheckpoint accepted = part.member().accepted();
        return new GenerationMember(
                part.member().task(),
                accepted.eventId(),
                PoolStateCodec.reference(accepted.checkpoint()),
                PoolStateCodec.reference(accepted.taskDefinition()),
                part.taskVectorNorm(),
                part.coefficients());
    }

    private static List<String> added(Wish wish, @Nullable LastGeneration before) {
        Map<String, String> known = new LinkedHashMap<>();
        if (before != null) {
            before.members()
                    .forEach(member -> known.put(member.task(), member.checkpoint().value()));
        }
        return wish.members().stream()
                .filter(member ->
                        !member.accepted()
                                .checkpoint()
                                .digest()
                                .value()
                                .equals(known.get(member.task())))
                .map(Wish.Member::task)
                .toList();
    }

    private static List<String> removed(Wish wish, @Nullable LastGeneration before) {
        if (before == null) {
            return List.of();
        }
        Set<String> gone =
                before.members().stream()
                        .map(LastGeneration.Member::task)
                        .collect(Collectors.toCollection(TreeSet::new));
        wish.tasks().forEach(gone::remove);
        return List.copyOf(gone);
    }

    private static String code(List<Fault> faults) {
        return faults.getFirst().code().name();
    }

    private static List<String> sentences(List<Fault> faults) {
        return faults.stream().map(Fault::toString).toList();
    }
}
