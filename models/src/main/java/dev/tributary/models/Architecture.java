package dev.tributary.models;

import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/// The parameters of a family of models: which there are, what they are called, which belong
/// together.
///
/// A *canonical name* is one name for one weight, whatever prefix or spelling a file uses: two
/// checkpoints of one base agree in canonical names even where their files do not.
public sealed interface Architecture permits ForwardArchitecture {

    /// The architecture a configuration describes.
    static Architecture of(ModelConfig config) {
        return ForwardArchitecture.of(config);
    }

    /// The canonical name of a tensor in a file; empty for what takes no part in the model's
    /// outputs (position id buffers, pre-training heads).
    Optional<String> canonicalName(String fileTensorName);

    /// The name `transformers`' classifier class uses for a canonical name.
    String classifierName(String canonicalName);

    /// The name `transformers`' bare encoder class uses for a canonical name of the trunk.
    String encoderName(String canonicalName);

    /// Whether a parameter belongs to one task (its classifier) and is never merged.
    boolean taskSpecific(String canonicalName);

    /// Canonical names of the trunk and their shapes, by group and then in forward order; the
    /// pooler is last and a checkpoint may lack it.
    SequencedMap<String, List<Long>> trunk();

    /// Whether a checkpoint without this parameter of the trunk is still whole.
    boolean optional(String canonicalName);

    /// Canonical names and shapes of a classifier for so many labels.
    SequencedMap<String, List<Long>> classifier(int labels);

    /// The weight of a classifier whose rows are the labels; empty where the family classifies
    /// nothing.
    Optional<String> labelWeight();

    /// The group of a parameter: 0 for embeddings, 1 to N for the layers, then the pooler.
    int groupOf(String canonicalName);

    /// The names of the groups, in order.
    List<String> groupNames();

    /// The table whose rows are the embeddings of tokens.
    String tokenTable();

    /// What `transformers` loads a task's checkpoint by.
    Loader loader();
}
