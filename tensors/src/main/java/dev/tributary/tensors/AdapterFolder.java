package dev.tributary.tensors;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/// Reads a LoRA adapter as PEFT keeps it: `adapter_config.json` and `adapter_model.safetensors`.
///
/// The scale of a matrix is `alpha / r`, or `alpha / sqrt(r)` with rsLoRA (Kalajdzievski 2023,
/// <https://arxiv.org/abs/2312.03732>); `rank_pattern` and `alpha_pattern` say otherwise for some.
/// Modules that were trained whole (`modules_to_save`) take the place of the base's, or come beside
/// them. What changes the model in another way is refused by name.
final class AdapterFolder {
    static final String CONFIG = "adapter_config.json";
    static final String WEIGHTS = "adapter_model.safetensors";

    private static final String PREFIX = "base_model.model.";
    private static final String RIGHT = ".lora_A.weight";
    private static final String LEFT = ".lora_B.weight";
    private static final String SAVED = ".modules_to_save";
    private static final long ALIGNMENT = 64;
    private static final List<String> CHANGES_BASE =
            List.of("pissa", "olora", "corda", "loftq", "lora_ga");
    private static final List<String> TIED = List.of("lm_head", "embed_tokens", "shared");

    private final Path folder;
    private final Checkpoint base;
    private final JsonNode config;
    private final SafetensorsFile file;
    private final Arena arena;
    private final List<Fault> faults = new ArrayList<>();
    private final Map<Thread, MemorySegment> rooms = new ConcurrentHashMap<>();

    final SequencedMap<String, TensorInfo> tensors = new TreeMap<>();
    final Map<String, LowRank> lowRank = new HashMap<>();
    final Map<String, SafetensorsFile> saved = new HashMap<>();
    ObjectNode modelConfig;

    private AdapterFolder(Path folder, Checkpoint base, Arena arena) {
        this.folder = folder;
        this.base = base;
        this.arena = arena;
        this.config = ConfigFile.read(folder, CONFIG);
        this.file = SafetensorsFile.open(RegularFile.in(folder, WEIGHTS), arena);
        this.modelConfig = base.config().deepCopy();
        tensors.putAll(base.tensors());
    }

    /// Whether a folder holds an adapter.
    static boolean there(Path folder) {
        return Files.isRegularFile(folder.resolve(CONFIG));
    }

    /// @param arena owns what is mapped and made
    /// @throws RefusedException with everything that cannot be applied to this base
    static AdapterFolder read(Path folder, Checkpoint base, Arena arena) {
        AdapterFolder adapter = new AdapterFolder(folder, base, arena);
        adapter.refuseOtherKinds();
        adapter.refuseChangedBase();
        adapter.refuseTiedParts();
        adapter.file.header().tensors().values().forEach(adapter::tensor);
        adapter.classify();
        if (!adapter.faults.isEmpty()) {
            throw new RefusedException(adapter.faults);
        }
        return adapter;
    }

    private void refuseOtherKinds() {
        String kind = config.path("peft_type").asText("");
        if (!kind.equals("LORA")) {
            refuse("peft_type is '%s', expected LORA".formatted(kind));
        }
        String bias = config.path("bias").asText("none");
        if (!bias.equals("none")) {
            refuse("bias is '%s', expected none".formatted(bias));
        }
        for (String key : List.of("use_dora", "fan_in_fan_out", "use_qalora", "lora_bias")) {
            if (config.path(key).asBoolean(false)) {
                refuse("%s is true, expected false: only plain LoRA is applied".formatted(key));
            }
        }
        for (String key :
                List.of(
                        "layer_replication",
                        "target_parameters",
                        "trainable_token_indices",
                        "alora_invocation_tokens",
                        "arrow_config")) {
            JsonNode value = config.path(key);
            if (!value.isMissingNode() && !value.isNull() && !value.isEmpty()) {
                refuse("%s is set, expected null: only plain LoRA is applied".formatted(key));
            }
        }
    }

    /// Ways to start that change the base's own matrices, so that the factors stand on others.
    private void refuseChangedBase() {
        String start = config.path("init_lora_weights").asText("");
        if (CHANGES_BASE.stream().anyMatch(start::startsWith)) {
            refuse(
                    "init_lora_weights is '%s', which changes the base's matrices: expected an adapter of the base as it is, which PEFT saves with path_initial_model_for_weight_conversion"
                            .formatted(start));
        }
    }

    /// A table that is also the head cannot become two.
    private void refuseTiedParts() {
        boolean tied = base.config().path("tie_word_embeddings").asBoolean(false);
        for (JsonNode part : config.path("modules_to_save")) {
            String module = part.asText();
            if (tied && TIED.contains(module.substring(module.lastIndexOf('.') + 1))) {
                refuse(
                        "modules_to_save has '%s', but the base's embeddings are its head, too: expected modules of their own"
                                .formatted(module));
            }
        }
    }

    private void tensor(TensorInfo info) {
        String name = info.name();
        if (name.startsWith(PREFIX)) {
            name = name.substring(PREFIX.length());
        }
        if (!info.dtype().floating()) {
            refuse("'%s' is %s, expected numbers".formatted(info.name(), info.dtype()));
        } else if (name.endsWith(RIGHT)) {
            factors(name.substring(0, name.length() - RIGHT.length()), info);
        } else if (name.endsWith(LEFT)) {
            String module = name.substring(0, name.length() - LEFT.length());
            if (partner(info.name(), LEFT, RIGHT) == null) {
                refuse("%s has no lora_A beside its lora_B".formatted(module));
            }
        } else if (name.contains(".lora_")) {
            refuse("'%s' is no factor of a linear layer".formatted(info.name()));
        } else {
            saved(name.replace(SAVED, ""), info);
        }
    }

    private @Nullable TensorInfo partner(String name, String own, String other) {
        String stem = name.substring(0, name.length() - own.length());
        return file.header().tensors().get(stem + other);
    }

    private void factors(String module, TensorInfo right) {
        TensorInfo left = partner(right.name(), RIGHT, LEFT);
        String target = inBase(module + ".weight");
        if (left == null) {
            refuse("%s has no lora_B beside its lora_A".formatted(module));
            return;
        }
        if (target == null) {
            refuse("%s is no module of the base: an adapter of another model?".formatted(module));
            return;
        }
        TensorInfo matrix = Objects.requireNonNull(base.tensors().get(target));
        List<Long> shape = matrix.shape();
        boolean fits =
                shape.size() == 2
                        && right.shape().size() == 2
                        && left.shape().size() == 2
                        && right.shape().get(1).equals(shape.get(1))
                        && left.shape().get(0).equals(shape.get(0))
                        && left.shape().get(1).equals(right.shape().get(0));
        if (!fits) {
            faults.add(
                    new Fault(
                            FailureCode.SHAPE_MISMATCH,
                            where() + " " + module,
                            "has factors of shapes %s and %s, expected a product of shape %s as in the base"
                                    .formatted(left.shape(), right.shape(), shape)));
            return;
        }
        int rank = Math.toIntExact(right.shape().getFirst());
        float scale = (float) scale(module, rank);
        float[] scaled = new float[Math.toIntExact(left.elements())];
        Kernels.widen(
                left.dtype(), file.data(left), 0, MemorySegment.ofArray(scaled), scaled.length);
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] *= scale;
        }
        MemorySegment directions = arena.allocate(right.elements() * Float.BYTES, ALIGNMENT);
        Kernels.widen(right.dtype(), file.data(right), 0, directions, right.elements());
        lowRank.put(
                target,
                new LowRank(
                        matrix.dtype(),
                        base.data(target),
                        shape.getLast(),
                        rank,
                        directions,
                        scaled,
                        rooms));
        long bytes = matrix.elements() * Float.BYTES;
        tensors.put(target, new TensorInfo(target, Dtype.F32, shape, 0, bytes));
    }

    private double scale(String module, int rank) {
        JsonNode alpha = pattern("alpha_pattern", module);
        double numerator = alpha == null ? config.path("lora_alpha").asDouble(8) : alpha.asDouble();
        boolean stabilised = config.path("use_rslora").asBoolean(false);
        return numerator / (stabilised ? Math.sqrt(rank) : rank);
    }

    /// What a pattern says of a module: its keys are expressions for the end of the name, as PEFT
    /// reads them.
    private @Nullable JsonNode pattern(String key, String module) {
        for (Map.Entry<String, JsonNode> entry : config.path(key).properties()) {
            try {
                Pattern expression = Pattern.compile("(.*\\.)?(" + entry.getKey() + ")");
                if (expression.matcher(module).matches()) {
                    return entry.getValue();
                }
            } catch (PatternSyntaxException e) {
                refuse("%s has '%s', which is no expression".formatted(key, entry.getKey()));
            }
        }
        return null;
    }

    private void saved(String name, TensorInfo info) {
        String known = inBase(name);
        String target = known == null ? name : known;
        TensorInfo before = base.tensors().get(target);
        if (before != null
                && !before.shape().equals(info.shape())
                && !name.contains("classifier")) {
            faults.add(
                    new Fault(
                            FailureCode.SHAPE_MISMATCH,
                            where() + " " + name,
                            "has shape %s, expected %s as in the base"
                                    .formatted(info.shape(), before.shape())));
            return;
        }
        saved.put(target, file);
        tensors.put(
                target,
                new TensorInfo(target, info.dtype(), info.shape(), info.begin(), info.end()));
    }

    /// The base's name of a tensor: one of the two may be without the prefix of a headless class.
    private @Nullable String inBase(String name) {
        if (base.tensors().containsKey(name)) {
            return name;
        }
        List<String> ending =
                base.tensors().keySet().stream()
                        .filter(own -> own.endsWith("." + name) || name.endsWith("." + own))
                        .toList();
        return ending.size() == 1 ? ending.getFirst() : null;
    }

    /// A classifier that was trained with the adapter is told of in the model's configuration.
    private void classify() {
        if (!config.path("task_type").asText("").equals("SEQ_CLS")) {
            return;
        }
        saved.keySet().stream()
                .filter(name -> name.matches("(classifier|score|classifier\\.out_proj)\\.weight"))
                .findFirst()
                .ifPresent(name -> {
                    String bare = modelConfig.path("architectures").path(0).asText("");
                    modelConfig
                            .putArray("architectures")
                            .add(
                                    bare.replaceFirst(
                                            "(Model|For[A-Z].*)?$", "ForSequenceClassification"));
                    long labels = Objects.requireNonNull(tensors.get(name)).shape().getFirst();
                    if (modelConfig.path("id2label").size() != labels) {
                        ObjectNode names = modelConfig.putObject("id2label");
                        for (int label = 0; label < labels; label++) {
                            names.put(Integer.toString(label), "LABEL_" + label);
                        }
                        modelConfig.remove("label2id");
                        modelConfig.remove("num_labels");
                    }
                });
    }

    private String where() {
        return folder.toString();
    }

    private void refuse(String sentence) {
        faults.add(new Fault(FailureCode.UNSUPPORTED_ARCHITECTURE, where(), sentence));
    }
}
