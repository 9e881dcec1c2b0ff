package dev.tributary.merge;

import dev.tributary.schemas.AvroWireDeserializer;
import dev.tributary.schemas.AvroWireSerializer;
import java.util.concurrent.Semaphore;
import org.apache.kafka.clients.admin.Admin;

/// What all partitions of a worker share.
///
/// @param workerName names this worker in events
/// @param codeVersion version of the program
/// @param maxCrashes how often work may end the process before it is set aside
/// @param mergePermits as many as merges may run at the same time
record Equipment(
        String workerName,
        String codeVersion,
        int maxCrashes,
        KafkaClients clients,
        Admin admin,
        AvroWireSerializer serializer,
        AvroWireDeserializer deserializer,
        Admitter admitter,
        GenerationMaker maker,
        AttemptLedger ledger,
        FailurePolicy policy,
        Semaphore mergePermits,
        MergeBoard board,
        MergeMeters meters) {}
