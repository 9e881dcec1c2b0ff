package dev.tributary.eval.tally;

import dev.tributary.eval.tally.Tallying.Step;
import dev.tributary.events.DeadLetter;
import dev.tributary.events.GenerationFailed;
import dev.tributary.events.GenerationMerged;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.PoolConfigured;
import dev.tributary.events.PromotionReason;
import dev.tributary.events.TaskEvaluated;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.Topic;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.avro.specific.SpecificRecord;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/// Applies the records of a pool to its tally and sends what follows.
final class TallyListener implements Processor<String, SpecificRecord, String, SpecificRecord> {

    private static final Logger LOG = Logger.getLogger(TallyListener.class);

    private final Tallying tallying;
    private final TallyObserver observer;
    private final String source;
    private final Set<String> pools = new HashSet<>();
    private @Nullable ProcessorContext<String, SpecificRecord> context;
    private @Nullable KeyValueStore<String, PoolTally> tallies;

    TallyListener(Tallying tallying, TallyObserver observer, String source) {
        this.tallying = tallying;
        this.observer = observer;
        this.source = source;
    }

    @Override
    public void init(ProcessorContext<String, SpecificRecord> processorContext) {
        context = processorContext;
        KeyValueStore<String, PoolTally> store =
                processorContext.getStateStore(TallyTopology.TALLIES);
        tallies = store;
        try (KeyValueIterator<String, PoolTally> all = store.all()) {
            while (all.hasNext()) {
                KeyValue<String, PoolTally> pool = all.next();
                tell(pool.key, pool.value);
            }
        }
    }

    @Override
    public void process(Record<String, SpecificRecord> record) {
        switch (record.value()) {
            case null -> LOG.debug("a record without a value was passed over");
            case PoolConfigured event -> configured(record, event);
            case GenerationMerged event ->
                    apply(
                            record,
                            event.getPool(),
                            tally -> tallying.merged(tally, TallyRecords.generation(event)));
            case TaskEvaluated event ->
                    apply(
                            record,
                            event.getPool(),
                            tally ->
                                    tallying.scored(
                                            tally,
                                            event.getNumber(),
                                            event.getGenerationId(),
                                            TallyRecords.result(event)));
            case GenerationPromoted event -> promoted(record, event);
            case GenerationFailed _ -> {} // nothing to score
            default -> {} // the pool's other events
        }
    }

    private void configured(Record<String, SpecificRecord> record, PoolConfigured event) {
        try {
            var policy = TallyRecords.policy(event.getVerdictPolicy());
            apply(record, event.getPool(), tally -> tallying.configured(tally, policy));
        } catch (IllegalArgumentException e) {
            LOG.warnf("verdict policy not taken over pool=%s: %s", event.getPool(), e.getMessage());
        }
    }

    /// What this worker has promoted it knows already.
    private void promoted(Record<String, SpecificRecord> record, GenerationPromoted event) {
        if (event.getReason() == PromotionReason.MANUAL) {
            apply(
                    record,
                    event.getPool(),
                    tally ->
                            tallying.promotedByHand(
                                    tally, event.getNumber(), event.getGenerationId()));
        }
    }

    private interface Change {
        Step of(PoolTally tally);
    }

    private void apply(Record<String, SpecificRecord> record, String pool, Change change) {
        ProcessorContext<String, SpecificRecord> streams = known(context);
        KeyValueStore<String, PoolTally> store = known(tallies);
        Instant now = Instant.ofEpochMilli(streams.currentSystemTimeMs());
        if (!pool.equals(record.key())) {
            send(record, misrouted(record, pool, now), Topic.DEAD_LETTERS, pool, now);
            return;
        }
        PoolTally before = store.get(pool);
        Step step = change.of(before == null ? PoolTally.EMPTY : before);
        store.put(pool, step.tally());
        for (Consequence consequence : step.consequences()) {
            SpecificRecordBase event = TallyEvents.event(consequence, now);
            send(record, event, TallyTopology.topic(consequence), key(consequence), now);
            tell(consequence);
        }
        tell(pool, step.tally());
    }

    private void tell(String pool, PoolTally tally) {
        pools.add(pool);
        observer.changed(pool, tally);
    }

    private void send(
            Record<String, SpecificRecord> cause,
            SpecificRecordBase event,
            Topic topic,
            String key,
            Instant now) {
        known(context)
                .forward(
                        new Record<>(
                                key,
                                event,
                                now.toEpochMilli(),
                                EventHeaders.following(cause.headers(), event, source, now)),
                        topic.topicName());
    }

    private static String key(Consequence consequence) {
        Generation generation = consequence.generation();
        return consequence instanceof Consequence.ScoreWanted wanted
                ? String.join("/", generation.pool(), generation.id(), wanted.member().task())
                : generation.pool();
    }

    private void tell(Consequence consequence) {
        Generation generation = consequence.generation();
        String where = "pool=%s generation=%d".formatted(generation.pool(), generation.number());
        switch (consequence) {
            case Consequence.ScoreWanted wanted ->
                    LOG.debugf("score wanted %s task=%s", where, wanted.member().task());
            case Consequence.Judged judged -> {
                observer.judged(generation.pool(), judged.judgement().verdict());
                LOG.infof(
                        "judged %s verdict=%s: %s",
                        where, judged.judgement().verdict(), judged.judgement().sentence());
            }
            case Consequence.Promoted _ -> LOG.infof("promoted %s", where);
            case Consequence.AlertChanged changed ->
                    LOG.infof(
                            "alert %s %s task=%s",
                            changed.change().firing() ? "firing" : "resolved",
                            where,
                            changed.change().task());
        }
    }

    private DeadLetter misrouted(Record<String, SpecificRecord> record, String pool, Instant now) {
        var place = known(context).recordMetadata().orElseThrow();
        return DeadLetter.newBuilder()
                .setCode("MISROUTED_RECORD")
                .setSentences(
                        List.of(
                                "[%s-%d@%d] has key '%s' but is about pool '%s', expected the pool as key: send it again under its pool"
                                        .formatted(
                                                place.topic(),
                                                place.partition(),
                                                place.offset(),
                                                record.key(),
                                                pool)))
                .setTopic(place.topic())
                .setPartition(place.partition())
                .setOffset(place.offset())
                .setEventId(EventHeaders.text(record.headers(), "ce_id").orElse(null))
                .setPool(pool)
                .setStage("tally")
                .setWorker(source)
                .setFailedAt(now)
                .build();
    }

    @Override
    public void close() {
        pools.forEach(observer::handedOver);
        pools.clear();
    }

    private static <T> T known(@Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("a processor is initialised before it is used");
        }
        return value;
    }
}
