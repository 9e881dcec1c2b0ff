package dev.tributary.merging;

/// The values one numeric option may have, stated once and used wherever the option is read or a
/// method is built.
///
/// @param name the option's name
/// @param least the smallest value
/// @param leastAllowed whether the smallest value itself is allowed
/// @param greatest the largest value, itself allowed when finite
record Bound(String name, double least, boolean leastAllowed, double greatest) {

    static Bound from(String name, double least, double greatest) {
        return new Bound(name, least, true, greatest);
    }

    static Bound above(String name, double least, double greatest) {
        return new Bound(name, least, false, greatest);
    }

    static Bound anyNumber(String name) {
        return new Bound(name, Double.NEGATIVE_INFINITY, false, Double.POSITIVE_INFINITY);
    }

    /// Written so that NaN fails too.
    boolean allows(double value) {
        return Double.isFinite(value)
                && (leastAllowed ? value >= least : value > least)
                && value <= greatest;
    }

    String expected() {
        if (least == Double.NEGATIVE_INFINITY) {
            return "a finite number";
        }
        String lower = (leastAllowed ? "at least " : "more than ") + plain(least);
        return greatest == Double.POSITIVE_INFINITY
                ? lower
                : lower + " and at most " + plain(greatest);
    }

    double require(double value) {
        if (!allows(value)) {
            throw new IllegalArgumentException(
                    "[%s] was %s, expected %s".formatted(name, plain(value), expected()));
        }
        return value;
    }

    private static String plain(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }
}
