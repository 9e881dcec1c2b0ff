package dev.tributary.merging.method;

/// Where the centre of the sphere lies on which an interpolation moves.
public enum SphereCenter {
    /// At the base: task vectors are interpolated.
    BASE("base"),
    /// At zero: the weights themselves are.
    ZERO("zero");

    /// The option that chooses it. In a recipe it follows from whether a base model is named.
    public static final Option<SphereCenter> OPTION =
            Option.choice(
                    "center",
                    SphereCenter.class,
                    SphereCenter::id,
                    BASE,
                    "interpolate task vectors (base) or the weights themselves (zero); a recipe says"
                            + " it by naming a base_model or none");

    private final String id;

    SphereCenter(String id) {
        this.id = id;
    }

    /// The word used in options and lineage.
    public String id() {
        return id;
    }
}
