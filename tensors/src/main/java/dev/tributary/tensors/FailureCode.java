package dev.tributary.tensors;

/// Why something was refused or failed, under a name that never changes: what events carry, what
/// metrics count and what `docs/failures.md` explains.
public enum FailureCode {
    CORRUPT_CHECKPOINT("A checkpoint's files are damaged, incomplete or contradict each other."),
    UNSAFE_FORMAT("A file is of a format that can run code or is not read here, such as pickle."),
    NON_FINITE("A tensor holds a NaN or an infinity."),
    DIGEST_MISMATCH("Content is not what its digest says."),
    WRONG_BASE("An expert was fine-tuned from another base model than its pool's."),
    ARCHITECTURE_MISMATCH("A checkpoint is of another architecture than its pool's base."),
    UNSUPPORTED_ARCHITECTURE("A checkpoint is of an architecture that cannot be run here."),
    SHAPE_MISMATCH("A tensor has another shape than the base's."),
    VOCABULARY_MISMATCH(
            "A checkpoint's tokens, or the rows of its embeddings, are not the base's."),
    DTYPE_MISMATCH("A tensor has an element type that does not fit the base's."),
    TENSOR_MISSING("A tensor the architecture needs is not in the checkpoint."),
    UNKNOWN_TASK("A task is named that nobody has defined."),
    UNKNOWN_METRIC("A metric is named that does not exist."),
    LABELS_MISMATCH("A checkpoint's labels are not its task's labels."),
    BAD_TASK("A task definition or one of its files cannot be used as it is."),
    CALIBRATION_EMPTY("A task has no calibration inputs, and the method needs them."),
    CALIBRATION_UNREADABLE("A task's calibration inputs cannot be read."),
    UNKNOWN_POOL("A pool is named that nobody has configured."),
    UNKNOWN_METHOD("A merge method is named that does not exist."),
    BAD_OPTION("An option is unknown, malformed or out of its bounds."),
    WITHDRAWN("A checkpoint was withdrawn by its publisher."),
    ARTIFACT_MISSING("An artifact that is referred to is not in the store."),
    UNSAFE_PATH("A path or reference could lead out of the folder it belongs to."),
    UNDECODABLE_RECORD("A record's bytes are not what its schema says."),
    UNKNOWN_SCHEMA("A record names a schema the registry does not know."),
    MISROUTED_RECORD("A record is in another partition, or under another key, than its pool's."),
    MERGE_FAILED("A merge ended in an error that is not the input's fault."),
    EVALUATION_FAILED("An evaluation ended in an error that is not the input's fault."),
    CRASH_LOOP("Work on this input ended the whole process several times."),
    NO_SPACE("The disk is full, or has too little room for what is to be written.");

    private final String meaning;

    FailureCode(String meaning) {
        this.meaning = meaning;
    }

    /// What this code says, in one sentence.
    public String meaning() {
        return meaning;
    }
}
