package dev.tributary.merging;

import dev.tributary.merging.method.LayerStack;
import dev.tributary.merging.method.Passthrough;
import dev.tributary.merging.method.Setting;
import dev.tributary.models.Vocabulary;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.TensorInfo;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Numbers the layers of several models anew, as those of one model, and says what does not fit
/// together.
final class StackPlanner {
    private final LayerStack stack;
    private final List<Member> members;
    private final @Nullable Dtype outputDtype;
    private final List<Fault> faults;
    private final Map<String, SharedTensor> tensors = new TreeMap<>();
    private final Map<String, List<Long>> shapes = new HashMap<>();

    StackPlanner(
            LayerStack stack,
            List<Member> members,
            @Nullable Dtype outputDtype,
            List<Fault> faults) {
        this.stack = stack;
        this.members = members;
        this.outputDtype = outputDtype;
        this.faults = faults;
    }

    /// The new model's tensors, sorted by name.
    List<SharedTensor> tensors() {
        int layer = 0;
        for (int s = 0; s < stack.slices().size(); s++) {
            LayerStack.Slice slice = stack.slices().get(s);
            int member = member(slice.model());
            if (member >= 0) {
                slice(slice, member, layer, s == 0, s == stack.slices().size() - 1);
            }
            layer += slice.to() - slice.from();
        }
        int lowest = member(stack.slices().getFirst().model());
        int highest = member(stack.slices().getLast().model());
        if (lowest >= 0 && highest >= 0 && lowest != highest) {
            refuseOtherTokens(members.get(lowest), members.get(highest));
        }
        if (lowest >= 0) {
            stack.slices().stream()
                    .map(slice -> member(slice.model()))
                    .filter(member -> member >= 0 && member != lowest)
                    .distinct()
                    .forEach(member -> refuseOtherBuild(members.get(lowest), members.get(member)));
        }
        return List.copyOf(tensors.values());
    }

    /// The new model has the configuration of the lowest slice's model, which has to hold for every
    /// layer, and a layer the tensors that it has there.
    private void refuseOtherBuild(Member lowest, Member other) {
        faults.addAll(
                ConfigComparison.faultsAmongLayers(lowest.expert().config(), lowest.task(), other));
        Collection<Set<String>> known = tensorsByLayer(lowest).values();
        Set<String> usual = known.stream().findFirst().orElse(Set.of());
        tensorsByLayer(other)
                .forEach((layer, found) -> {
                    boolean taken =
                            stack.slices().stream()
                                    .anyMatch(slice ->
                                            slice.model().equals(other.task())
                                                    && layer >= slice.from()
                                                    && layer < slice.to());
                    if (taken && !known.contains(found)) {
                        Set<String> odd = new TreeSet<>(found);
                        odd.removeAll(usual);
                        Set<String> missing = new TreeSet<>(usual);
                        missing.removeAll(found);
                        fault(
                                missing.isEmpty()
                                        ? FailureCode.ARCHITECTURE_MISMATCH
                                        : FailureCode.TENSOR_MISSING,
                                other.task(),
                                "has other tensors in layer %d than %s has in its layers:%s%s"
                                        .formatted(
                                                layer,
                                                lowest.task(),
                                                missing.isEmpty() ? "" : " without " + missing,
                                                odd.isEmpty() ? "" : " with " + odd));
                    }
                });
    }

    private static SortedMap<Integer, Set<String>> tensorsByLayer(Member member) {
        SortedMap<Integer, Set<String>> byLayer = new TreeMap<>();
        for (String name : member.expert().tensors().keySet()) {
            LayerDepth.Place place = LayerDepth.place(name);
            if (place != null) {
                byLayer.computeIfAbsent(place.layer(), _ -> new TreeSet<>()).add(place.rest());
            }
        }
        return byLayer;
    }

    /// Embeddings come from the lowest slice's model and the output from the highest one's: one
    /// vocabulary for both.
    private void refuseOtherTokens(Member lowest, Member highest) {
        try {
            Optional<Vocabulary> below = Vocabulary.read(lowest.expert().directory());
            Optional<Vocabulary> above = Vocabulary.read(highest.expert().directory());
            if (below.isEmpty() || above.isEmpty()) {
                return;
            }
            int size = Math.max(below.get().size(), above.get().size());
            int id = 0;
            while (id < size && Objects.equals(below.get().token(id), above.get().token(id))) {
                id++;
            }
            if (id == size) {
                return;
            }
            fault(
                    FailureCode.VOCABULARY_MISMATCH,
                    highest.task(),
                    "gives the output but has other tokens than %s, which gives the embeddings: token %d is %s here and %s there"
                            .formatted(
                                    lowest.task(),
                                    id,
                                    shown(above.get().token(id)),
                                    shown(below.get().token(id))));
        } catch (RefusedException e) {
            faults.addAll(e.faults());
        }
    }

    private static String shown(@Nullable String token) {
        return token == null ? "none" : "'%s'".formatted(token);
    }

    private int member(String task) {
        for (int m = 0; m < members.size(); m++) {
            if (members.get(m).task().equals(task)) {
                return m;
            }
        }
        fault(FailureCode.BAD_OPTION, task, "is named by a slice but is no member");
        return -1;
    }

    private void slice(
            LayerStack.Slice slice, int member, int firstLayer, boolean lowest, boolean highest) {
        Map<String, TensorInfo> all = members.get(member).expert().tensors();
        TreeSet<String> stacks = new TreeSet<>();
        int layers = 0;
        for (String name : all.keySet()) {
            LayerDepth.Place place = LayerDepth.place(name);
            if (place != null) {
                stacks.add(place.stack());
                layers = Math.max(layers, place.layer() + 1);
            }
        }
        if (stacks.size() != 1) {
            fault(
                    FailureCode.ARCHITECTURE_MISMATCH,
                    slice.model(),
                    "has %d stacks of layers %s, expected one to take layers from"
                            .formatted(stacks.size(), stacks));
            return;
        }
        if (slice.to() > layers) {
            fault(
                    FailureCode.BAD_OPTION,
                    slice.model(),
                    "has %d layers, so it cannot give layers %d to %d"
                            .formatted(layers, slice.from(), slice.to() - 1));
            return;
        }
        LayerDepth depth = new LayerDepth(all.keySet());
        for (TensorInfo info : all.values()) {
            LayerDepth.Place place = LayerDepth.place(info.name());
            if (place == null) {
                boolean before = depth.of(info.name()) == 0;
                if (before ? lowest : highest) {
                    add(info.name(), info.name(), info, member, slice.scale());
                }
            } else if (place.layer() >= slice.from() && place.layer() < slice.to()) {
                int layer = firstLayer + place.layer() - slice.from();
                add(place.rest(), place.in(layer), info, member, slice.scale());
            }
        }
    }

    /// @param kind what has the same shape in every model: the name without the layer
    private void add(
            String kind, String outputName, TensorInfo info, int member, @Nullable Setting scale) {
        List<Long> shape = shapes.putIfAbsent(kind, info.shape());
        if (shape != null && !shape.equals(info.shape())) {
            fault(
                    FailureCode.SHAPE_MISMATCH,
                    members.get(member).task() + " " + info.name(),
                    "has shape %s, expected %s as in the layers below"
                            .formatted(info.shape(), shape));
        }
        Optional<Map<String, Setting>> own =
                Optional.ofNullable(scale).map(s -> Map.of(Passthrough.SCALE_NAME, s));
        tensors.put(
                outputName,
                new SharedTensor(
                        outputName,
                        outputName,
                        info.shape(),
                        0,
                        outputDtype != null && info.dtype().floating() ? outputDtype : info.dtype(),
                        info.name(),
                        info.dtype(),
                        List.of(new SharedTensor.Source(member, info.name(), info.dtype(), own)),
                        false,
                        member));
    }

    private void fault(FailureCode code, String where, String sentence) {
        faults.add(new Fault(code, where, sentence));
    }
}
