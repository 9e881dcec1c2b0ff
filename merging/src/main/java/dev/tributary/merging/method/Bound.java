package dev.tributary.merging.method;

/// The values one numeric option may have, stated once and used wherever the option is read or a
/// method is built.
///
/// @param name the option's name
/// @param least the smallest value
/// @param leastAllowed whether the smallest value itself is allowed
/// @param greatest the largest value, itself allowed when finite
public record Bound(String name, double least, boolean leastAllowed, double greatest) {

    /// At least and at most so much.
    public static Bound from(String name, double least, double greatest) {
        return new Bound(name, least, true, greatest);
    }

    /// More than and at most so much.
    public static Bound above(String name, double least, double greatest) {
        return new Bound(name, least, false, greatest);
    }

    /// Anything finite.
    public static Bound anyNumber(String name) {
        return new Bound(name, Double.NEGATIVE_INFINITY, false, Double.POSITIVE_INFINITY);
    }

    /// Written so that NaN fails too.
    public boolean allows(double value) {
        return Double.isFinite(value)
                && (leastAllowed ? value >= least : value > least)
                && value <= greatest;
    }

    /// What it may be, in words that follow "expected".
    public String expected() {
        if (least == Double.NEGATIVE_INFINITY) {
            return "a finite number";
        }
        String lower = (leastAllowed ? "at least " : "more than ") + plain(least);
        return greatest == Double.POSITIVE_INFINITY
                ? lower
                : lower + " and at most " + plain(greatest);
    }

    /// The values in a table's cell.
    public String interval() {
        if (least == Double.NEGATIVE_INFINITY) {
            return "any number";
        }
        return greatest == Double.POSITIVE_INFINITY
                ? (leastAllowed ? "≥ " : "> ") + plain(least)
                : "%s%s, %s]".formatted(leastAllowed ? "[" : "(", plain(least), plain(greatest));
    }

    /// The value, if it is allowed.
    ///
    /// @throws IllegalArgumentException otherwise
    public double require(double value) {
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
