package dev.tributary.tensors;

import java.util.List;
import java.util.stream.Collectors;

/// Says that an input cannot be accepted as it is, with every fault found rather than the first.
/// Trying again without changing the input does not help.
public class RefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<Fault> faults;

    /// Refuses for these reasons, of which there is at least one.
    public RefusedException(List<Fault> faults) {
        super(message(faults));
        this.faults = List.copyOf(faults);
    }

    /// Refuses for one reason.
    public RefusedException(Fault fault) {
        this(List.of(fault));
    }

    /// Refuses for one reason, brought about by another failure.
    public RefusedException(Fault fault, Throwable cause) {
        super(fault.toString(), cause);
        this.faults = List.of(fault);
    }

    /// Everything that is wrong; never empty.
    public List<Fault> faults() {
        return faults;
    }

    private static String message(List<Fault> faults) {
        if (faults.isEmpty()) {
            throw new IllegalArgumentException("a refusal needs at least one fault");
        }
        return faults.stream().map(Fault::toString).collect(Collectors.joining("\n"));
    }
}
