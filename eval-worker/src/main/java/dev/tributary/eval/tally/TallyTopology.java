package dev.tributary.eval.tally;

import dev.tributary.schemas.Topic;
import java.util.List;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/// The stream: what happens to pools in, requests for scores, verdicts, promotions and alerts out.
///
/// All inputs are keyed by pool and equally partitioned, so one task holds everything about its
/// pools, and a pool's records are applied one after the other.
public final class TallyTopology {

    /// What is read.
    public static final List<Topic> INPUTS =
            List.of(Topic.POOL_EVENTS, Topic.GENERATIONS, Topic.TASK_EVALUATIONS, Topic.PROMOTIONS);

    /// What is written.
    public static final List<Topic> OUTPUTS =
            List.of(
                    Topic.EVALUATION_REQUESTS,
                    Topic.EVALUATIONS,
                    Topic.PROMOTIONS,
                    Topic.ALERTS,
                    Topic.DEAD_LETTERS);

    static final String TALLIES = "pool-tallies";

    private static final String TALLY = "tally";

    private TallyTopology() {}

    /// What follows from a record goes to these topics.
    static Topic topic(Consequence consequence) {
        return switch (consequence) {
            case Consequence.ScoreWanted _ -> Topic.EVALUATION_REQUESTS;
            case Consequence.Judged _ -> Topic.EVALUATIONS;
            case Consequence.Promoted _ -> Topic.PROMOTIONS;
            case Consequence.AlertChanged _ -> Topic.ALERTS;
        };
    }

    /// @param tallying decides what follows from each record
    /// @param events reads and writes events
    /// @param observer told how pools stand
    /// @param source names this program in the headers of events
    static Topology of(
            Tallying tallying,
            Serde<SpecificRecord> events,
            TallyObserver observer,
            String source) {
        Topology topology = new Topology();
        for (Topic input : INPUTS) {
            topology.addSource(
                    input.topicName() + "-in",
                    Serdes.String().deserializer(),
                    events.deserializer(),
                    input.topicName());
        }
        topology.addProcessor(
                TALLY,
                () -> new TallyListener(tallying, observer, source),
                INPUTS.stream().map(input -> input.topicName() + "-in").toArray(String[]::new));
        topology.addStateStore(store(), TALLY);
        for (Topic output : OUTPUTS) {
            topology.addSink(
                    output.topicName(),
                    output.topicName(),
                    Serdes.String().serializer(),
                    events.serializer(),
                    TALLY);
        }
        return topology;
    }

    /// In memory, because it is small; its changelog topic is what lasts.
    private static StoreBuilder<KeyValueStore<String, PoolTally>> store() {
        return Stores.keyValueStoreBuilder(
                        Stores.inMemoryKeyValueStore(TALLIES),
                        Serdes.String(),
                        new PoolTallySerde())
                .withLoggingEnabled(Map.of("compression.type", "producer"));
    }
}
