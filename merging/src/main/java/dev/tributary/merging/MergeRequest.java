package dev.tributary.merging;

import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Dtype;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One merge as it is asked for: folders, a method, and where the result goes.
///
/// @param base the base's folder
/// @param baseDigest its digest
/// @param members one expert for each task
/// @param previous coefficients to start from, usually the last generation's; null to start afresh
/// @param outputDtype how merged tensors are stored; null for the base's own type
/// @param cacheFolder where what can be computed again is kept between merges
/// @param targetFolder an existing, empty folder to write into
public record MergeRequest(
        Path base,
        Digest baseDigest,
        List<RequestedMember> members,
        MergeMethod method,
        @Nullable Coefficients previous,
        @Nullable Dtype outputDtype,
        Provenance provenance,
        Path cacheFolder,
        Path targetFolder) {

    public MergeRequest {
        members = List.copyOf(members);
    }

    /// One expert that is to be merged.
    ///
    /// @param expert its folder
    /// @param digest its digest
    /// @param taskDefinition the task's definition, staged or not; null where the method needs no
    ///   data
    /// @param weight its weight, for the methods that weigh members
    /// @param density the share of its task vector TIES keeps; null for the method's own
    public record RequestedMember(
            String task,
            Path expert,
            Digest digest,
            @Nullable Path taskDefinition,
            double weight,
            @Nullable Double density) {

        /// A member of weight 1.
        public RequestedMember(
                String task, Path expert, Digest digest, @Nullable Path taskDefinition) {
            this(task, expert, digest, taskDefinition, 1.0, null);
        }
    }

    /// A recipe as a request; computes the digests of all its folders.
    public static MergeRequest of(Recipe recipe, Path cacheFolder, Path targetFolder) {
        return RecipeRequest.of(recipe, cacheFolder, targetFolder);
    }
}
