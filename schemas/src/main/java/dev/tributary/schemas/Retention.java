package dev.tributary.schemas;

import java.time.Duration;
import java.util.Map;

/// How long the records of a topic are kept.
public sealed interface Retention {

    /// Every record is kept for ever: the topic is history that can be replayed.
    record ForEver() implements Retention {}

    /// The newest record of every key is kept: the topic is a table that can be rebuilt.
    record Newest() implements Retention {}

    /// Records are removed after some time: the topic is work or evidence that goes stale.
    ///
    /// @param time how long, at least a minute
    record Limited(Duration time) implements Retention {
        public Limited {
            if (time.compareTo(Duration.ofMinutes(1)) < 0) {
                throw new IllegalArgumentException(
                        "[retention] a topic is kept at least a minute, was " + time);
            }
        }
    }

    /// The topic settings that make a broker keep records so.
    default Map<String, String> settings() {
        return switch (this) {
            case ForEver() ->
                    Map.of(
                            "cleanup.policy",
                            "delete",
                            "retention.ms",
                            "-1",
                            "retention.bytes",
                            "-1");
            case Newest() ->
                    Map.of("cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0.1");
            case Limited(Duration time) ->
                    Map.of(
                            "cleanup.policy",
                            "delete",
                            "retention.ms",
                            Long.toString(time.toMillis()));
        };
    }
}
