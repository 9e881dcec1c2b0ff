package dev.tributary.merging.method;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/// One parameter of a method: its name, what it may be, and what it is when nobody says. Stated
/// once, and used wherever options are read, written or documented.
///
/// @param <T> what it is in the method's record
public final class Option<T> {
    /// How much one expert counts; stated for experts, never for a method.
    public static final Option<Setting> WEIGHT =
            number("weight", Bound.anyNumber("weight"), 1, "how much the expert counts")
                    .perExpert();

    private final String name;
    private final Class<T> kind;
    private final String expected;
    private final String bounds;
    private final String meaning;
    private final Function<String, T> parser;
    private final Function<T, String> writer;
    private final T poolDefault;
    private final T recipeDefault;
    private final boolean perExpert;
    private final boolean required;
    private final String recipeName;

    private Option(
            String name,
            Class<T> kind,
            String expected,
            String bounds,
            String meaning,
            Function<String, T> parser,
            Function<T, String> writer,
            T poolDefault,
            T recipeDefault,
            boolean perExpert,
            boolean required,
            String recipeName) {
        this.name = name;
        this.kind = kind;
        this.expected = expected;
        this.bounds = bounds;
        this.meaning = meaning;
        this.parser = parser;
        this.writer = writer;
        this.poolDefault = poolDefault;
        this.recipeDefault = recipeDefault;
        this.perExpert = perExpert;
        this.required = required;
        this.recipeName = recipeName;
    }

    private static <T> Option<T> of(
            String name,
            Class<T> kind,
            String expected,
            String bounds,
            String meaning,
            Function<String, T> parser,
            Function<T, String> writer,
            T defaultValue) {
        return new Option<>(
                name,
                kind,
                expected,
                bounds,
                meaning,
                parser,
                writer,
                defaultValue,
                defaultValue,
                false,
                false,
                name);
    }

    /// A value of its own kind.
    ///
    /// @param parser throws an IllegalArgumentException for what is none
    public static <T> Option<T> value(
            String name,
            Class<T> kind,
            String expected,
            Function<String, T> parser,
            Function<T, String> writer,
            T defaultValue,
            String meaning) {
        return of(name, kind, expected, expected, meaning, parser, writer, defaultValue);
    }

    /// A number that may differ from tensor to tensor.
    public static Option<Setting> number(
            String name, Bound bound, double defaultValue, String meaning) {
        return of(
                name,
                Setting.class,
                bound.expected(),
                bound.interval(),
                meaning,
                text -> {
                    Setting setting = Setting.parse(text);
                    if (!setting.values().allMatch(bound::allows)) {
                        throw new IllegalArgumentException("is out of bounds");
                    }
                    return setting;
                },
                Setting::text,
                Setting.of(defaultValue));
    }

    /// A number of the whole merge.
    public static Option<Double> real(Bound bound, double defaultValue, String meaning) {
        return of(
                bound.name(),
                Double.class,
                bound.expected(),
                bound.interval(),
                meaning,
                text -> bound.require(Double.parseDouble(text.strip())),
                value -> Double.toString(value),
                defaultValue);
    }

    /// A whole number.
    public static Option<Integer> whole(Bound bound, int defaultValue, String meaning) {
        return of(
                bound.name(),
                Integer.class,
                "a whole number, " + bound.expected(),
                bound.interval(),
                meaning,
                text -> (int) bound.require(Integer.parseInt(text.strip())),
                value -> Integer.toString(value),
                defaultValue);
    }

    /// How many inputs of each task a method that runs models looks at.
    static Option<Integer> calibrationItems(int defaultValue) {
        return calibrationItems(defaultValue, "");
    }

    /// How many inputs of each task a method that runs models looks at.
    ///
    /// @param remark what else is to be known of it
    static Option<Integer> calibrationItems(int defaultValue, String remark) {
        return whole(
                Bound.from("calibration_items", 1, 100_000),
                defaultValue,
                "at most so many inputs of each task" + remark);
    }

    /// What random choices follow from.
    public static Option<Long> seed(long defaultValue, String meaning) {
        return of(
                "seed",
                Long.class,
                "a whole number",
                "",
                meaning,
                text -> Long.parseLong(text.strip()),
                value -> Long.toString(value),
                defaultValue);
    }

    /// Yes or no.
    public static Option<Boolean> flag(String name, boolean defaultValue, String meaning) {
        return of(
                name,
                Boolean.class,
                "true or false",
                "true, false",
                meaning,
                text ->
                        switch (text.strip().toLowerCase(Locale.ROOT)) {
                            case "true" -> true;
                            case "false" -> false;
                            default -> throw new IllegalArgumentException("is neither");
                        },
                value -> Boolean.toString(value),
                defaultValue);
    }

    /// One of several words.
    public static <E extends Enum<E>> Option<E> choice(
            String name, Class<E> kind, Function<E, String> word, E defaultValue, String meaning) {
        List<E> values = Arrays.asList(kind.getEnumConstants());
        String words = values.stream().map(word).collect(Collectors.joining(", "));
        return of(
                name,
                kind,
                "one of " + words,
                words,
                meaning,
                text ->
                        values.stream()
                                .filter(v ->
                                        word.apply(v).equals(text.strip().toLowerCase(Locale.ROOT)))
                                .findFirst()
                                .orElseThrow(() -> new IllegalArgumentException("is none")),
                word,
                defaultValue);
    }

    /// The same option, which an expert may also state for itself.
    public Option<T> perExpert() {
        return new Option<>(
                name,
                kind,
                expected,
                bounds,
                meaning,
                parser,
                writer,
                poolDefault,
                recipeDefault,
                true,
                required,
                recipeName);
    }

    /// The same option, with another default in recipes: mergekit's.
    public Option<T> inRecipes(T defaultValue) {
        return new Option<>(
                name,
                kind,
                expected,
                bounds,
                meaning,
                parser,
                writer,
                poolDefault,
                defaultValue,
                perExpert,
                required,
                recipeName);
    }

    /// The same option, which a recipe has to state, as in mergekit.
    public Option<T> requiredInRecipes() {
        return new Option<>(
                name,
                kind,
                expected,
                bounds,
                meaning,
                parser,
                writer,
                poolDefault,
                recipeDefault,
                perExpert,
                true,
                recipeName);
    }

    /// The same option, under mergekit's name in recipes.
    public Option<T> calledInRecipes(String other) {
        return new Option<>(
                name,
                kind,
                expected,
                bounds,
                meaning,
                parser,
                writer,
                poolDefault,
                recipeDefault,
                perExpert,
                required,
                other);
    }

    /// An option as one that may differ from tensor to tensor, if it may.
    static Optional<Option<Setting>> perTensor(Option<?> option) {
        return option.poolDefault instanceof Setting otherwise
                ? Optional.of(
                        new Option<>(
                                option.name,
                                Setting.class,
                                option.expected,
                                option.bounds,
                                option.meaning,
                                text -> Setting.class.cast(option.parser.apply(text)),
                                Setting::text,
                                otherwise,
                                Setting.class.cast(option.recipeDefault),
                                option.perExpert,
                                option.required,
                                option.recipeName))
                : Optional.empty();
    }

    /// Its name in options and lineage.
    public String name() {
        return name;
    }

    /// Its name in recipes.
    public String recipeName() {
        return recipeName;
    }

    /// What it may be, in words that follow "expected".
    public String expected() {
        return expected;
    }

    /// What it may be, in a table's cell.
    public String bounds() {
        return bounds;
    }

    /// What it does.
    public String meaning() {
        return meaning;
    }

    /// Whether an expert may state it for itself.
    public boolean statedPerExpert() {
        return perExpert;
    }

    /// Whether a recipe has to state it.
    public boolean required() {
        return required;
    }

    /// What it is where an option of a pool says nothing.
    public T poolDefault() {
        return poolDefault;
    }

    /// What it is where a recipe says nothing.
    public T recipeDefault() {
        return recipeDefault;
    }

    /// Reads a value.
    ///
    /// @throws IllegalArgumentException when it is not what is [#expected]
    public T parse(String text) {
        T value = parser.apply(text);
        return value instanceof Setting setting && poolDefault instanceof Setting otherwise
                ? kind.cast(setting.orElse(otherwise))
                : value;
    }

    /// Checks a value that was not read but given.
    ///
    /// @throws IllegalArgumentException when it is not what is [#expected]
    void require(T value) {
        try {
            parse(text(value));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "[%s] was %s, expected %s".formatted(name, writer.apply(value), expected), e);
        }
    }

    /// Reads a value that may leave tensors out: an expert's own.
    ///
    /// @throws IllegalArgumentException when it is not what is [#expected]
    public T parsePartial(String text) {
        return parser.apply(text);
    }

    /// The value as [#parse] reads it.
    public String text(T value) {
        return writer.apply(value);
    }

    /// A value of this option's type.
    T cast(Object value) {
        return kind.cast(value);
    }
}
