package dev.tributary.cli.chaos;

import dev.tributary.schemas.Topic;
import org.apache.avro.specific.SpecificRecord;

/// A committed event as a bystander read it.
///
/// @param nanos when, by the clock of the campaign
record Seen(Topic topic, int partition, long offset, SpecificRecord event, long nanos) {}
