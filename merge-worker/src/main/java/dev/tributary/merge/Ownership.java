package dev.tributary.merge;

import dev.tributary.tensors.Progress;

/// Whether the thread of a partition may go on: it always may, until it is asked to come to an end
/// or the partition has gone elsewhere.
final class Ownership {
    private volatile State state = State.KEPT;

    private enum State {
        KEPT,
        ENDING,
        LOST
    }

    /// Thrown out of work whose result nobody wants any more.
    static final class AbandonedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        AbandonedException() {
            super("the partition is not this worker's any more, or the worker has to stop");
        }
    }

    /// Begin nothing new; finish what runs.
    synchronized void end() {
        if (state == State.KEPT) {
            state = State.ENDING;
        }
    }

    /// Drop everything.
    synchronized void lose() {
        state = State.LOST;
    }

    /// Whether new work may begin.
    boolean mayBegin() {
        return state == State.KEPT;
    }

    /// Whether running work must be dropped.
    boolean isLost() {
        return state == State.LOST;
    }

    /// Passes progress on and drops the work that reports it once it is of no use.
    Progress watching(Progress progress) {
        return (stage, done, total) -> {
            if (isLost()) {
                throw new AbandonedException();
            }
            progress.update(stage, done, total);
        };
    }
}
