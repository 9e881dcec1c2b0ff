package dev.tributary.cli.chaos;

import dev.tributary.schemas.Topic;
import org.apache.avro.specific.SpecificRecord;

/// A committed event as a bystander read it.
record Seen(Topic topic, int partition, long offset, SpecificRecord event) {}
