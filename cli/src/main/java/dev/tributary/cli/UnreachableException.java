package dev.tributary.cli;

/// The broker, the registry or the local stack does not answer; the message says which and what to
/// do.
public final class UnreachableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// An exception whose message is the sentence a person reads.
    public UnreachableException(String sentence) {
        super(sentence);
    }
}
