package dev.tributary.tensors;

/// Names an artifact in the store and says what its content is: what an event carries in place of
/// the weights.
///
/// @param uri `store:` and the path below the store's root, such as `store:checkpoints/<digest>`
/// @param digest digest of the folder, see [Digest#ofDirectory]
/// @param bytes size of all its files
public record ArtifactReference(String uri, Digest digest, long bytes) {
    private static final String SCHEME = "store:";

    public ArtifactReference {
        if (!uri.startsWith(SCHEME)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.UNSAFE_PATH,
                            StrictJson.shown(uri),
                            "is not a reference to the artifact store, expected 'store:' and a path"));
        }
        ArtifactPath.parse(uri.substring(SCHEME.length()));
        if (bytes < 0) {
            throw new IllegalArgumentException("an artifact cannot have %d bytes".formatted(bytes));
        }
    }

    static ArtifactReference of(ArtifactPath path, Digest digest, long bytes) {
        return new ArtifactReference(SCHEME + path.value(), digest, bytes);
    }

    /// The path below the store's root.
    public String path() {
        return uri.substring(SCHEME.length());
    }
}
