package dev.tributary.cli;

import dev.tributary.events.ArtifactReference;
import dev.tributary.events.GenerationMember;
import dev.tributary.events.GenerationMerged;
import dev.tributary.merging.Coefficients;
import dev.tributary.merging.MergeRequest;
import dev.tributary.merging.PoolMerger;
import dev.tributary.merging.PublishedLineage;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.FolderArtifactStore;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Makes generations anew from what the log says of them, with nothing but the artifacts they were
/// made of, and compares all bytes: weights, heads, tokenizer, model card and lineage.
public final class GenerationReplay {
    private final FolderArtifactStore store;
    private final Path scratch;
    private final Map<String, ArtifactReference> byId = new HashMap<>();

    /// @param log every generation that another may have started from
    /// @param scratch a folder of its own for what is made; emptied
    public GenerationReplay(FolderArtifactStore store, List<GenerationMerged> log, Path scratch) {
        this.store = store;
        this.scratch = scratch;
        log.forEach(generation -> byId.put(generation.getGenerationId(), generation.getArtifact()));
    }

    /// Makes one generation anew.
    ///
    /// @return the digest of what came out; the same as the generation's where all is well
    /// @throws RefusedException where something it was made of is missing or changed
    public Digest again(GenerationMerged generation, Progress progress) {
        Path cache = scratch.resolve("cache");
        Path target = scratch.resolve("generation");
        FileTrees.delete(scratch);
        try {
            Files.createDirectories(target);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write in " + scratch, e);
        }
        PublishedLineage lineage = PublishedLineage.read(opened(generation.getArtifact()));
        PoolMerger.merge(
                new MergeRequest(
                        opened(generation.getBase()),
                        new Digest(generation.getBase().getDigest()),
                        generation.getMembers().stream().map(this::member).toList(),
                        MergeMethod.of(generation.getMethod(), generation.getOptions()),
                        start(lineage.provenance().startedFrom()),
                        null,
                        lineage.provenance(),
                        cache,
                        target),
                progress);
        Digest made = Digest.ofDirectory(target);
        FileTrees.delete(scratch);
        return made;
    }

    private MergeRequest.RequestedMember member(GenerationMember member) {
        return new MergeRequest.RequestedMember(
                member.getTask(),
                opened(member.getCheckpoint()),
                new Digest(member.getCheckpoint().getDigest()),
                opened(member.getTaskDefinition()));
    }

    private @Nullable Coefficients start(@Nullable String generationId) {
        if (generationId == null) {
            return null;
        }
        ArtifactReference artifact = byId.get(generationId);
        if (artifact == null) {
            throw new RefusedException(
                    List.of(
                            new Fault(
                                    FailureCode.ARTIFACT_MISSING,
                                    generationId,
                                    "started a merge and is not in the log, expected it on tributary.generations: was the topic cut?")));
        }
        return Objects.requireNonNull(PublishedLineage.read(opened(artifact)).coefficients());
    }

    /// An artifact, after a look at every byte.
    private Path opened(ArtifactReference reference) {
        var artifact =
                new dev.tributary.tensors.ArtifactReference(
                        reference.getUri(),
                        new Digest(reference.getDigest()),
                        reference.getBytes());
        store.verify(artifact);
        return store.open(artifact);
    }
}
