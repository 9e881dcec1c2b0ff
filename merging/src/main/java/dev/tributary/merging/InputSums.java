package dev.tributary.merging;

import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.ContentSum;
import dev.tributary.tensors.Digest;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Identifies a recipe's checkpoints by checksums of their weights that are taken while they are
/// merged, so that identifying them is no pass of its own.
final class InputSums {
    /// What the digests of such a merge are of, for its lineage.
    static final String DIGESTS =
            "SHA-256 over config.json and, tensor by tensor, name, dtype, shape and the CRC-32C of"
                    + " every 65536 elements; of an adapter over its files";

    private final Map<Path, ContentSum> sums = new HashMap<>();
    private final Map<Path, Checkpoint> checkpoints = new HashMap<>();

    InputSums(MergePlan plan) {
        add(plan.base());
        plan.members().forEach(member -> add(member.expert()));
    }

    private void add(Checkpoint checkpoint) {
        Path place = place(checkpoint);
        checkpoints.putIfAbsent(place, checkpoint);
        sums.computeIfAbsent(place, _ -> new ContentSum(checkpoint.tensors().values()));
    }

    /// One folder may be opened twice: a recipe's first model is often its base, too.
    private static Path place(Checkpoint checkpoint) {
        return checkpoint.directory().toAbsolutePath().normalize();
    }

    /// One tensor in all checkpoints that have a part in it; none where its rows are not read in
    /// the order of the files.
    List<Source> of(MergePlan plan, SharedTensor tensor) {
        if (tensor.alignment().isPresent()) {
            return List.of();
        }
        Map<Path, Source> sources = new HashMap<>();
        source(sources, plan.baseOf(tensor), tensor.baseName());
        for (SharedTensor.Source source : tensor.members()) {
            source(sources, plan.members().get(source.member()).expert(), source.name());
        }
        return List.copyOf(sources.values());
    }

    private void source(Map<Path, Source> sources, Checkpoint checkpoint, String name) {
        if (checkpoint.adapts()) {
            return;
        }
        Path place = place(checkpoint);
        sources.computeIfAbsent(
                place,
                _ ->
                        new Source(
                                Objects.requireNonNull(sums.get(place)),
                                name,
                                checkpoint.data(name),
                                Objects.requireNonNull(checkpoint.tensors().get(name))
                                        .dtype()
                                        .bytes()));
    }

    /// One checkpoint's tensor, whose blocks are about to be read.
    record Source(ContentSum sum, String name, MemorySegment data, int elementBytes) {
        MemorySegment slice(long from, long count) {
            return data.asSlice(from * elementBytes, count * elementBytes);
        }
    }

    /// The blocks of all sources that begin at one element.
    static List<ContentSum.Block> begin(List<Source> sources, long from) {
        List<ContentSum.Block> blocks = new ArrayList<>(sources.size());
        sources.forEach(source -> blocks.add(source.sum().begin(source.name(), from)));
        return blocks;
    }

    /// What a checkpoint is, once it has been merged; reads what no merge needed.
    Digest digest(Checkpoint checkpoint) {
        if (checkpoint.adapts()) {
            return Digest.ofDirectory(checkpoint.directory());
        }
        Path place = place(checkpoint);
        ContentSum sum = Objects.requireNonNull(sums.get(place));
        sum.complete(Objects.requireNonNull(checkpoints.get(place)));
        Path config = checkpoint.directory().resolve("config.json");
        String ofConfig = Files.isRegularFile(config) ? Digest.of(config).value() : "none";
        return Digest.ofText("config %s\nweights %s\n".formatted(ofConfig, sum.digest().value()));
    }

    /// The plan with its members' digests.
    MergePlan identified(MergePlan plan) {
        List<Member> members = new ArrayList<>();
        for (Member member : plan.members()) {
            members.add(
                    new Member(
                            member.task(),
                            member.expert(),
                            digest(member.expert()),
                            member.calibration(),
                            member.settings()));
        }
        return plan.withMembers(members);
    }
}
