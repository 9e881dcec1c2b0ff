package dev.tributary.merging;

import java.util.ArrayList;
import java.util.List;

/// Where the rows of one merged tensor over the vocabulary lie in every model. A row that an expert
/// lacks is the base's; one that the base lacks, too, is the mean of those experts that have it,
/// and zero where nobody has it.
final class RowAlignment {
    private final List<Long> shape;
    private final long columns;
    private final int[] base;
    private final List<int[]> members;

    /// @param shape of the merged tensor
    /// @param columns elements in a row
    /// @param base by row of the merged tensor its row in the base, negative where it has none
    /// @param members the same for every expert
    RowAlignment(List<Long> shape, long columns, int[] base, List<int[]> members) {
        this.shape = List.copyOf(shape);
        this.columns = columns;
        this.base = base.clone();
        this.members = new ArrayList<>(members);
    }

    List<Long> shape() {
        return shape;
    }

    long columns() {
        return columns;
    }

    int rows() {
        return base.length;
    }

    /// The row in the base; negative where it has none.
    int inBase(int row) {
        return base[row];
    }

    /// The row in a member's expert; negative where it has none.
    int inMember(int member, int row) {
        return members.get(member)[row];
    }

    int members() {
        return members.size();
    }

    /// Whether every row is where it was: then there is nothing to align.
    boolean straight(long rowsOfBase) {
        return rows() == rowsOfBase
                && straight(base)
                && members.stream().allMatch(RowAlignment::straight);
    }

    private static boolean straight(int[] rows) {
        for (int row = 0; row < rows.length; row++) {
            if (rows[row] != row) {
                return false;
            }
        }
        return true;
    }

    /// What the numbers of the rows take in memory.
    long bytes() {
        return (long) rows() * Integer.BYTES * (1 + members());
    }
}
