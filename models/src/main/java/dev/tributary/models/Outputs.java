package dev.tributary.models;

/// What a model puts out for a batch: one row of numbers a text.
public final class Outputs {

    /// What the numbers are.
    public enum Kind {
        /// One score a label, before any softmax.
        LOGITS,
        /// The mean of the last hidden states over a text's tokens.
        EMBEDDINGS
    }

    private final Kind kind;
    private final int rows;
    private final int columns;
    private final float[] values;

    Outputs(Kind kind, int rows, int columns, float[] values) {
        this.kind = kind;
        this.rows = rows;
        this.columns = columns;
        this.values = values;
    }

    public Kind kind() {
        return kind;
    }

    public int rows() {
        return rows;
    }

    public int columns() {
        return columns;
    }

    /// Row-major, `rows * columns`.
    public float[] values() {
        return values;
    }
}
