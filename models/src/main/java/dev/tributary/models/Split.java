package dev.tributary.models;

/// What a file of examples may be used for. The four never mix.
public enum Split {
    /// Fine-tunes an expert.
    TRAIN("train"),
    /// Unlabelled inputs that tell a merge how its experts answer.
    CALIBRATION("calibration"),
    /// Scores a generation; never seen by an optimiser of merges.
    VALIDATION("validation"),
    /// Read once, for a table.
    TEST("test");

    private final String key;

    Split(String key) {
        this.key = key;
    }

    /// Its key in a task definition.
    public String key() {
        return key;
    }
}
