package dev.tributary.stack;

import org.jspecify.annotations.Nullable;

/// A part of the local stack did not start or did not stay up. The message says which, why, and
/// what to do.
public final class StackException extends RuntimeException {

    private static final long serialVersionUID = 1;

    StackException(String sentence, @Nullable Throwable cause) {
        super(sentence, cause);
    }
}
