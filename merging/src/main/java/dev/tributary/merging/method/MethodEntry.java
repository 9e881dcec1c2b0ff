package dev.tributary.merging.method;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What the catalogue knows of a method: names, paper, options, and how its record is built.
///
/// @param <M> the method's record
public final class MethodEntry<M extends MergeMethod> {
    private final Class<M> kind;
    private final String id;
    private final String title;
    private final String paper;
    private final String equation;
    private final String formula;
    private final List<Parameter<M, ?>> parameters = new ArrayList<>();
    private final Map<String, String> withoutEffect = new LinkedHashMap<>();
    private final Map<String, String> fixed = new LinkedHashMap<>();
    private final Function<OptionValues, M> builder;
    private String recipeId;
    private BaseRole base = BaseRole.SUBTRACTED;
    private boolean weighted;
    private @Nullable Option<Setting> scale;
    private boolean elementwise;
    private int mostExperts = Integer.MAX_VALUE;

    private record Parameter<M, T>(Option<T> option, Function<M, T> of) {
        String text(M method) {
            return option.text(of.apply(method));
        }
    }

    /// A method to be put into the catalogue.
    ///
    /// @param id its name in options, events and recipes
    /// @param title its name in sentences
    /// @param paper an address
    /// @param equation where in the paper it is defined
    /// @param formula the merged model in one line, for tables
    public MethodEntry(
            Class<M> kind,
            String id,
            String title,
            String paper,
            String equation,
            String formula,
            Function<OptionValues, M> builder) {
        this.kind = kind;
        this.id = id;
        this.recipeId = id;
        this.title = title;
        this.paper = paper;
        this.equation = equation;
        this.formula = formula;
        this.builder = builder;
    }

    /// Adds an option.
    ///
    /// @param of reads it off a method
    public <T> MethodEntry<M> option(Option<T> option, Function<M, T> of) {
        parameters.add(new Parameter<>(option, of));
        return this;
    }

    /// Adds the option that scales what is added to the base, which a recipe may tune.
    ///
    /// @param of reads it off a method
    public MethodEntry<M> scale(Option<Setting> option, Function<M, Setting> of) {
        scale = option;
        return option(option, of);
    }

    /// Gives the method mergekit's name in recipes.
    public MethodEntry<M> calledInRecipes(String name) {
        recipeId = name;
        return this;
    }

    /// Says what the base is to it.
    public MethodEntry<M> base(BaseRole role) {
        base = role;
        return this;
    }

    /// Says that experts have weights.
    public MethodEntry<M> weighted() {
        weighted = true;
        return this;
    }

    /// Says that it merges entry by entry from weights alone, so that it can do so within a trust
    /// region.
    public MethodEntry<M> elementwise() {
        elementwise = true;
        return this;
    }

    /// Says how many experts it can take.
    public MethodEntry<M> atMost(int experts) {
        mostExperts = experts;
        return this;
    }

    /// Names a key of recipes that changes nothing here, and says why.
    public MethodEntry<M> withoutEffect(String key, String note) {
        withoutEffect.put(key, note);
        return this;
    }

    /// Names a key of recipes that may have one value only.
    public MethodEntry<M> fixed(String key, String value) {
        fixed.put(key, value);
        return this;
    }

    /// Its name in options, events and lineage.
    public String id() {
        return id;
    }

    /// Its name in recipes.
    public String recipeId() {
        return recipeId;
    }

    /// Its name in sentences.
    public String title() {
        return title;
    }

    /// The address of the paper or text that defines it.
    public String paper() {
        return paper;
    }

    /// Where it is defined there.
    public String equation() {
        return equation;
    }

    /// The merged model in one line.
    public String formula() {
        return formula;
    }

    /// What the base is to it.
    public BaseRole base() {
        return base;
    }

    /// Whether experts have weights.
    public boolean takesWeights() {
        return weighted;
    }

    /// How many experts it can take.
    public int mostExperts() {
        return mostExperts;
    }

    /// Its options, in the order of its documentation.
    public List<Option<?>> options() {
        List<Option<?>> options = new ArrayList<>();
        parameters.forEach(p -> options.add(p.option()));
        return options;
    }

    /// The option that scales what is added to the base, if it has one.
    public Optional<Option<Setting>> scale() {
        return Optional.ofNullable(scale);
    }

    /// The options an expert may state for itself, the weight first.
    public List<Option<Setting>> expertOptions() {
        List<Option<Setting>> options = new ArrayList<>();
        if (weighted) {
            options.add(Option.WEIGHT);
        }
        for (Parameter<M, ?> parameter : parameters) {
            if (parameter.option().statedPerExpert()) {
                options.add(setting(parameter.option()));
            }
        }
        return options;
    }

    private static Option<Setting> setting(Option<?> option) {
        return Option.perTensor(option)
                .orElseThrow(() ->
                        new IllegalStateException(
                                option.name() + " is stated per expert but is no setting"));
    }

    /// Whether it can merge within a trust region.
    public boolean takesTrustRegion() {
        return elementwise;
    }

    /// The options it shares with others of its kind, which are documented once.
    public List<Option<?>> sharedOptions() {
        return elementwise ? TrustRegion.options() : List.of();
    }

    /// Keys of recipes that change nothing here, with the reason.
    public Map<String, String> keysWithoutEffect() {
        return Collections.unmodifiableMap(withoutEffect);
    }

    /// Keys of recipes that may have one value only.
    public Map<String, String> fixedKeys() {
        return Collections.unmodifiableMap(fixed);
    }

    /// The option with this name in recipes.
    public Optional<Option<?>> recipeOption(String name) {
        for (Parameter<M, ?> parameter : parameters) {
            if (parameter.option().recipeName().equals(name)) {
                return Optional.of(parameter.option());
            }
        }
        return Optional.empty();
    }

    M build(OptionValues values) {
        return builder.apply(values);
    }

    /// The options of one method as text, sorted by name.
    SequencedMap<String, String> textOf(MergeMethod method) {
        M own = kind.cast(method);
        SequencedMap<String, String> text = new TreeMap<>();
        parameters.forEach(p -> text.put(p.option().name(), p.text(own)));
        return Collections.unmodifiableSequencedMap(text);
    }
}
