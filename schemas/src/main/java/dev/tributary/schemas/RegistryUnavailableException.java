package dev.tributary.schemas;

import org.apache.kafka.common.errors.RetriableException;

/// The schema registry gave no usable answer. Nothing is wrong with the record: try again later.
public final class RegistryUnavailableException extends RetriableException {

    private static final long serialVersionUID = 1;

    RegistryUnavailableException(String sentence, Throwable cause) {
        super(sentence, cause);
    }
}
