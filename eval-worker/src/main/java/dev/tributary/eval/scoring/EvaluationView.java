package dev.tributary.eval.scoring;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// One evaluation as `GET /evaluations` shows it.
///
/// @param pool the pool it is for
/// @param number the generation's number
/// @param generationId the generation's id
/// @param task the task it is scored on
/// @param stage what is or was being done
/// @param done how many stages are done
/// @param total how many there are
/// @param startedAt when it began
/// @param endedAt when it ended; null while it runs
/// @param outcome `RUNNING`, `SCORED`, `FAILED` or `ABANDONED`
/// @param score the generation's score; null when there is none
/// @param expertScore the expert's
/// @param interference how much the two outputs diverge, in nats
/// @param failureCode stable code of the failure; null when there is none
/// @param failureSentence what was found and what to do
public record EvaluationView(
        String pool,
        long number,
        String generationId,
        String task,
        String stage,
        long done,
        long total,
        Instant startedAt,
        @Nullable Instant endedAt,
        String outcome,
        @Nullable Double score,
        @Nullable Double expertScore,
        @Nullable Double interference,
        @Nullable String failureCode,
        @Nullable String failureSentence) {}
