package dev.tributary.tensors;

/// What exactly is wrong with a checkpoint's files. The first group carries the names of the
/// safetensors reference reader, so that a refusal here can be compared with one there.
public enum CorruptionKind {
    HEADER_TOO_SMALL("The file is shorter than the eight bytes that give the header's length."),
    HEADER_TOO_LARGE("The header is larger than any honest model needs."),
    INVALID_HEADER_LENGTH("The header is said to be longer than the file."),
    INVALID_HEADER_START("The header does not begin with an opening brace."),
    INVALID_HEADER("The header is not valid UTF-8."),
    INVALID_HEADER_DESERIALIZATION("The header is not the JSON object it should be."),
    METADATA_INCOMPLETE_BUFFER("The tensors do not end where the file ends."),
    INVALID_OFFSET("A tensor begins after its end, or bytes belong to no tensor."),
    TENSOR_INVALID_INFO("A tensor's description is incomplete or contradicts itself."),
    VALIDATION_OVERFLOW("A size or an offset does not fit into 64 bits."),
    MISALIGNED("A tensor's bytes are not a whole number of elements."),

    OVERLAP("Two tensors share bytes."),
    DUPLICATE_KEY("A key occurs twice, so that two readers could read two models."),
    UNKNOWN_DTYPE("A tensor's element type is not one that is read here."),
    TENSOR_NAME_INVALID("A tensor's name is empty, too long or holds control characters."),
    TOO_MANY_TENSORS("The header lists more tensors than any honest model has."),
    METADATA_INVALID("The free-form metadata is not a map from text to text."),

    NOT_A_REGULAR_FILE("What should be a file is a folder, a pipe, a device or is missing."),
    SYMLINK_OUT("A symbolic link leads out of the checkpoint's folder."),
    UNSAFE_FORMAT("The file is a pickle, an archive, GGUF, HDF5 or the like, whatever its name."),
    NO_WEIGHTS("The folder holds neither model.safetensors nor an index of shards."),
    AMBIGUOUS_WEIGHTS("The folder holds both one file and an index of shards."),
    CONFIG_MISSING("The folder has no config.json."),
    CONFIG_INVALID("config.json is not a JSON object that can be read."),

    INDEX_INVALID("The index of shards is not the JSON object it should be."),
    INDEX_UNSAFE_NAME("The index names a file outside of the folder, or one of another kind."),
    SHARD_MISSING("The index names a shard that is not there."),
    TENSOR_IN_TWO_SHARDS("Two shards hold a tensor of the same name."),
    INDEX_MISMATCH("The index and the shards disagree about where a tensor is.");

    private final String meaning;

    CorruptionKind(String meaning) {
        this.meaning = meaning;
    }

    /// What this kind says, in one sentence.
    public String meaning() {
        return meaning;
    }

    /// The failure code a checkpoint with this fault is refused under.
    public FailureCode code() {
        return this == UNSAFE_FORMAT ? FailureCode.UNSAFE_FORMAT : FailureCode.CORRUPT_CHECKPOINT;
    }
}
