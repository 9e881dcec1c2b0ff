package dev.tributary.schemas;

import java.util.List;

/// A broker or a registry holds something that contradicts the catalogue of topics, so a program
/// must not start against it. The message lists every fault, a sentence each.
public final class ContractBrokenException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private final transient List<String> faults;

    ContractBrokenException(List<String> faults) {
        super(String.join("\n", faults));
        this.faults = List.copyOf(faults);
    }

    /// Every fault, a sentence each.
    public List<String> faults() {
        return faults;
    }
}
