package dev.tributary.merge;

import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;

/// Turns a failure into what is to be done about it. The only place where that is decided; no
/// clock, no producer, no log.
///
/// @param maxAttempts how often a failure of an unknown kind is tried in all
/// @param firstDelay how long the first wait is at most; each further one at most doubles
/// @param maxDelay how long any wait is at most
record FailurePolicy(int maxAttempts, Duration firstDelay, Duration maxDelay) {
    private static final int MAX_DOUBLINGS = 30;

    /// What is to be done.
    sealed interface Disposition {}

    /// Trying again cannot help: the records concerned become dead letters.
    record SetAside(List<Fault> faults) implements Disposition {
        SetAside {
            faults = List.copyOf(faults);
        }
    }

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
        return switch (failure) {
            case VirtualMachineError _ -> new Halt();
            case RefusedException refused when !onlyNoSpace(refused) ->
                    new SetAside(refused.faults());
            case Throwable _ when transientCause(failure) -> new Retry(delay(attempt, random));
            case Throwable _ when attempt < maxAttempts -> new Retry(delay(attempt, random));
            case Throwable _ -> new SetAside(List.of(gaveUp(where, failure, attempt)));
        };
    }

    /// The wait before the next attempt: anywhere up to a limit that doubles each time, so that
    /// many who wait for the same thing spread out.
    Duration delay(int attempt, double random) {
        long limit = firstDelay.toMillis() << Math.clamp(attempt - 1L, 0, MAX_DOUBLINGS);
        return Duration.ofMillis(
                Math.max(1, Math.round(Math.min(limit, maxDelay.toMillis()) * random)));
    }

    /// A failure for the log, with the codes it carries.
    static String text(Throwable failure) {
        return failure instanceof RefusedException refused
                ? refused.faults().stream()
                        .map(fault -> "%s %s".formatted(fault.code(), fault))
                        .collect(Collectors.joining("; "))
                : failure.toString();
    }

    /// Whether a disk without room is behind this failure.
    static boolean noSpace(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof RefusedException refused && onlyNoSpace(refused)) {
                return true;
            }
            if (cause instanceof IOException && saysNoSpace(cause.getMessage())) {
                return true;
            }
        }
        return false;
    }

    private static boolean transientCause(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof RetriableException) {
                return true;
            }
        }
        return noSpace(failure);
    }

    private static boolean onlyNoSpace(RefusedException refused) {
        return refused.faults().stream().allMatch(fault -> fault.code() == FailureCode.NO_SPACE);
    }

    private static boolean saysNoSpace(@Nullable String message) {
        String lower = message == null ? "" : message.toLowerCase(Locale.ROOT);
        return lower.contains("no space left") || lower.contains("quota exceeded");
    }

    private static Fault gaveUp(String where, Throwable failure, int attempt) {
        return new Fault(
                FailureCode.MERGE_FAILED,
                where,
                "failed %d times, the last time with %s: see the worker's log"
                        .formatted(attempt, failure));
    }
}
