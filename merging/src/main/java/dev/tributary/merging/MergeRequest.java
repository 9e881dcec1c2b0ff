package dev.tributary.merging;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.Setting;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Dtype;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// One merge as it is asked for: folders, a method, and where the result goes.
///
/// @param base the base's folder
/// @param baseDigest its digest
/// @param members one expert for each task
/// @param previous coefficients to start from, usually the last generation's; null to start afresh
/// @param outputDtype how merged tensors are stored; null for the base's own type
/// @param tune values of the method's scale, of which the best on validation examples is taken;
///   null to merge by the method as it is
/// @param vocabulary which tokens the merged model has; null where all models must have the same
/// @param cacheFolder where what can be computed again is kept between merges
/// @param targetFolder an existing, empty folder to write into
public record MergeRequest(
        Path base,
        Digest baseDigest,
        List<RequestedMember> members,
        MergeMethod method,
        @Nullable Coefficients previous,
        @Nullable Dtype outputDtype,
        @Nullable ScaleGrid tune,
        @Nullable VocabularyChoice vocabulary,
        Provenance provenance,
        Path cacheFolder,
        Path targetFolder) {

    public MergeRequest {
        members = List.copyOf(members);
    }

    /// A merge by the method as it is, of models with the same tokens.
    public MergeRequest(
            Path base,
            Digest baseDigest,
            List<RequestedMember> members,
            MergeMethod method,
            @Nullable Coefficients previous,
            @Nullable Dtype outputDtype,
            Provenance provenance,
            Path cacheFolder,
            Path targetFolder) {
        this(
                base,
                baseDigest,
                members,
                method,
                previous,
                outputDtype,
                null,
                null,
                provenance,
                cacheFolder,
                targetFolder);
    }

    /// One expert that is to be merged.
    ///
    /// @param expert its folder
    /// @param digest its digest
    /// @param taskDefinition the task's definition, staged or not; null where the method needs no
    ///   data
    /// @param settings parameters stated for this expert alone, such as its weight, by name
    public record RequestedMember(
            String task,
            Path expert,
            Digest digest,
            @Nullable Path taskDefinition,
            SortedMap<String, Setting> settings) {

        /// A member without parameters of its own.
        public RequestedMember(
                String task, Path expert, Digest digest, @Nullable Path taskDefinition) {
            this(task, expert, digest, taskDefinition, new TreeMap<>());
        }
    }

    /// A recipe as a request; computes the digests of all its folders.
    public static MergeRequest of(Recipe recipe, Path cacheFolder, Path targetFolder) {
        return RecipeRequest.of(recipe, cacheFolder, targetFolder);
    }
}
