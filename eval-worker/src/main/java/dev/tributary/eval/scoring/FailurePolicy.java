package dev.tributary.eval.scoring;

import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/// Turns a failure of scoring into what is to be done about it. The only place where that is
/// decided; no clock, no producer, no log.
///
/// @param maxAttempts how often scoring is tried in all
/// @param firstDelay how long the first wait is at most; each further one at most doubles
/// @param maxDelay how long any wait is at most
record FailurePolicy(int maxAttempts, Duration firstDelay, Duration maxDelay) {

    private static final int MAX_DOUBLINGS = 30;

    /// Refusals that may be over by the next attempt: a store that other machines write to can show
    /// an artifact late, and a full disk can be freed.
    private static final Set<FailureCode> MAY_PASS =
            Set.of(FailureCode.ARTIFACT_MISSING, FailureCode.NO_SPACE);

    /// What is to be done.
    sealed interface Disposition {}

    /// Trying again cannot help, or has not: the task has no score.
    record GiveUp(Fault fault) implements Disposition {}

    /// It may pass: try again after this long.
    record Retry(Duration delay) implements Disposition {}

    /// The process itself is not sound any more and has to end.
    record Halt() implements Disposition {}

    /// Decides.
    ///
    /// @param where what failed, for the fault
    /// @param attempt how often it has been tried by now, from 1
    /// @param random evenly from 0 to 1, so that workers that failed together do not retry together
    Disposition dispose(String where, Throwable failure, int attempt, double random) {
        boolean last = attempt >= maxAttempts;
        return switch (failure) {
            case VirtualMachineError _ -> new Halt();
            case RefusedException refused when last || !mayPass(refused) ->
                    new GiveUp(together(where, refused.faults()));
            case Throwable other when last ->
                    new GiveUp(
                            new Fault(
                                    FailureCode.EVALUATION_FAILED,
                                    where,
                                    "failed %d times, the last time with %s: see the worker's log"
                                            .formatted(attempt, other)));
            case Throwable _ -> new Retry(delay(attempt, random));
        };
    }

    /// The wait before the next attempt: anywhere up to a limit that doubles each time.
    Duration delay(int attempt, double random) {
        long limit = firstDelay.toMillis() << Math.clamp(attempt - 1L, 0, MAX_DOUBLINGS);
        long most = Math.min(limit, maxDelay.toMillis());
        return Duration.ofMillis(Math.max(1, Math.round(most * random)));
    }

    private static boolean mayPass(RefusedException refused) {
        return refused.faults().stream().allMatch(fault -> MAY_PASS.contains(fault.code()));
    }

    /// A result has one code and one sentence: the first fault's, and all of them.
    private static Fault together(String where, List<Fault> faults) {
        Fault first = faults.getFirst();
        if (faults.size() == 1) {
            return first;
        }
        String all = String.join(" ", faults.stream().map(Fault::toString).toList());
        return new Fault(first.code(), where, "%d faults: %s".formatted(faults.size(), all));
    }
}
