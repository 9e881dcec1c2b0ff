package dev.tributary.tensors;

/// One thing that is wrong, told so that its reader can act.
///
/// @param code the stable code
/// @param where the file, tensor, option or record concerned
/// @param sentence what was found and what was expected, then the likely cause or what to do
public record Fault(FailureCode code, String where, String sentence) {

    /// The fault as people read it: `[where] sentence`.
    @Override
    public String toString() {
        return "[%s] %s".formatted(where, sentence);
    }
}
