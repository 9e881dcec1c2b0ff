package dev.tributary.models;

import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import dev.tributary.tensors.Checkpoint;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// A model whose weights lie in native fp32 memory and can be rewritten in place between two
/// passes.
///
/// One model belongs to one thread at a time; several models may run in one JVM at once. Gradients
/// are taken of the weights themselves, as leaves of the computation, so that whoever composes the
/// weights out of others (a merge) can take the inner products on its own.
public final class RunningModel implements AutoCloseable {
    private final ModelConfig config;
    private final BertArchitecture architecture;
    private final Weights trunk;
    private final @Nullable Head ownHead;
    private final @Nullable TokenSubset tokens;

    private RunningModel(
            ModelConfig config,
            BertArchitecture architecture,
            Weights trunk,
            @Nullable Head ownHead,
            @Nullable TokenSubset tokens) {
        this.config = config;
        this.architecture = architecture;
        this.trunk = trunk;
        this.ownHead = ownHead;
        this.tokens = tokens;
    }

    /// Reads a checkpoint's trunk, and its classifier where it has one.
    ///
    /// @throws dev.tributary.tensors.RefusedException with every tensor that is missing or of
    ///   another shape than the configuration says
    public static RunningModel open(Checkpoint checkpoint) {
        return read(checkpoint, null);
    }

    /// Reads a checkpoint's trunk, and its classifier where it has one, for inputs of these tokens
    /// alone.
    ///
    /// @throws dev.tributary.tensors.RefusedException with every tensor that is missing or of
    ///   another shape than the configuration says
    public static RunningModel open(Checkpoint checkpoint, TokenSubset tokens) {
        return read(checkpoint, tokens);
    }

    private static RunningModel read(Checkpoint checkpoint, @Nullable TokenSubset tokens) {
        ModelConfig config =
                ModelConfig.of(checkpoint.config(), checkpoint.directory() + "/config.json");
        BertArchitecture architecture = new BertArchitecture(config);
        CheckpointReader reader = new CheckpointReader(checkpoint, architecture);
        List<Block> blocks = new ArrayList<>(architecture.blocks());
        if (!reader.has(BertArchitecture.POOLER_WEIGHT)) {
            blocks.removeIf(BertArchitecture::isPooler);
        }
        boolean classifies = !config.labels().isEmpty();
        List<Block> all = new ArrayList<>(blocks);
        List<Block> classifier = architecture.classifierBlocks(config.labels().size());
        if (classifies) {
            all.addAll(classifier);
        }
        reader.refuseUnlessFits(all);
        return new RunningModel(
                config,
                architecture,
                reader.read(blocks, tokens),
                classifies ? new Head(reader.read(classifier, null)) : null,
                tokens);
    }

    public ModelConfig config() {
        return config;
    }

    public Architecture architecture() {
        return architecture;
    }

    /// Canonical names and shapes of the trunk.
    public SequencedMap<String, List<Long>> parameters() {
        return trunk.shapes();
    }

    /// The live, writable values of a parameter of the trunk, fp32 in native memory; valid until
    /// the model is closed.
    public MemorySegment weights(String canonicalName) {
        return trunk.values(canonicalName);
    }

    /// Which stretches of a parameter of the trunk are held, in order: all of it in one, unless the
    /// model was opened for some tokens alone and this is the table of their embeddings.
    public List<HeldStretch> held(String canonicalName) {
        if (tokens != null && canonicalName.equals(BertArchitecture.WORDS)) {
            return tokens.rows().stream().map(row -> row.times(config.hidden())).toList();
        }
        long elements = weights(canonicalName).byteSize() / Float.BYTES;
        return List.of(new HeldStretch(0, 0, elements));
    }

    /// The live gradient of a parameter of the trunk, fp32; zeros where no loss has reached it. Ask
    /// again after each backward pass: the first one decides where it lies.
    public MemorySegment gradient(String canonicalName) {
        return trunk.gradient(canonicalName);
    }

    /// The classifier that came with the checkpoint.
    public Optional<Head> ownHead() {
        return Optional.ofNullable(ownHead);
    }

    /// Reads the parameters of one task from its expert; they take the place of the trunk's while
    /// the head is in use. Query, key and value of a layer can only be taken together.
    ///
    /// @throws dev.tributary.tensors.RefusedException with every tensor that is missing or of
    ///   another shape than the trunk's
    public Head head(Checkpoint expert, Set<String> canonicalNames) {
        Set<String> classifier = architecture.classifier(1).keySet();
        if (!canonicalNames.containsAll(classifier)) {
            throw new IllegalArgumentException(
                    "a head has %s, was given %s".formatted(classifier, canonicalNames));
        }
        CheckpointReader reader = new CheckpointReader(expert, architecture);
        List<Block> blocks = new ArrayList<>();
        for (Block block : architecture.blocks()) {
            addIfWanted(block, canonicalNames, blocks);
        }
        long labels = reader.rowsOf(BertArchitecture.CLASSIFIER_WEIGHT);
        for (Block block : architecture.classifierBlocks(Math.toIntExact(labels))) {
            addIfWanted(block, canonicalNames, blocks);
        }
        reader.refuseUnlessFits(blocks);
        return new Head(reader.read(blocks, null));
    }

    private static void addIfWanted(Block block, Set<String> wanted, List<Block> blocks) {
        if (wanted.containsAll(block.names())) {
            blocks.add(block);
        } else if (block.names().stream().anyMatch(wanted::contains)) {
            throw new IllegalArgumentException(
                    "a head takes all of %s or none".formatted(block.names()));
        }
    }

    /// A head with these parameters, all zero, to be filled by the caller.
    Head newHead(int labels, boolean withPooler) {
        List<Block> blocks = new ArrayList<>();
        if (withPooler) {
            architecture.blocks().stream().filter(BertArchitecture::isPooler).forEach(blocks::add);
        }
        blocks.addAll(architecture.classifierBlocks(labels));
        return new Head(new Weights(blocks));
    }

    /// Which parameters of the trunk get gradients; none until this is called.
    public void train(Collection<String> canonicalNames) {
        trunk.train(canonicalNames);
    }

    /// One row of outputs a text, `[rows, labels]`, without gradients.
    ///
    /// @param head the task's, or null for the model's own; a model that has none puts out its
    ///   mean-pooled embeddings instead
    public float[] logits(@Nullable Head head, Batch batch) {
        return forward(head, batch).values();
    }

    /// What the model puts out with its own head: logits, or embeddings where it has none.
    public Outputs forward(Batch batch) {
        return forward(null, batch);
    }

    private Outputs forward(@Nullable Head head, Batch batch) {
        try (var _ = new GradMode(false);
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            return host(head, outputs(head, batch));
        }
    }

    /// Runs the model forwards, the loss on the host, and the derivative backwards into the
    /// gradients, where it is added to what is there.
    ///
    /// @return the loss
    public double backward(@Nullable Head head, Batch batch, LogitLoss loss) {
        try (var _ = new GradMode(true);
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            PtNDArray outputs = outputs(head, batch);
            Outputs host = host(head, outputs);
            float[] derivative = new float[host.values().length];
            double value = loss.apply(host.values(), host.rows(), host.columns(), derivative);
            PtNDArray upstream =
                    EngineArrays.floats(trunk.manager(), derivative, host.rows(), host.columns());
            JniUtils.backward(outputs, upstream, false, false);
            return value;
        }
    }

    /// Runs the model forwards once and, for each loss, backwards; the gradients are those of that
    /// loss alone.
    ///
    /// @param then told the loss's number while its gradients can be read
    void backwardEach(Head head, Batch batch, List<? extends LogitLoss> losses, IntConsumer then) {
        try (var _ = new GradMode(true);
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            PtNDArray outputs = outputs(head, batch);
            Outputs host = host(head, outputs);
            for (int i = 0; i < losses.size(); i++) {
                float[] derivative = new float[host.values().length];
                losses.get(i).apply(host.values(), host.rows(), host.columns(), derivative);
                zeroGradients();
                PtNDArray upstream =
                        EngineArrays.floats(
                                trunk.manager(), derivative, host.rows(), host.columns());
                JniUtils.backward(outputs, upstream, i + 1 < losses.size(), false);
                then.accept(i);
            }
        }
    }

    /// Runs the model forwards and shows what goes into its layers: those of the trunk, and those
    /// of the head that take the place of the trunk's. Every layer runs on every token, also where
    /// a classifier reads the first one only.
    ///
    /// @param head the task's, or null for the model's own, if any
    public void watch(@Nullable Head head, Batch batch, LayerWatcher watcher) {
        refuseTooLong(batch);
        Head used = head == null ? ownHead : head;
        try (var _ = new GradMode(false);
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            TokenRows rows =
                    new TokenRows(config, architecture.blocks(), batch, watcher, trunk.manager());
            new BertForward(config, name -> tensor(used, name), trunk.manager(), rows)
                    .everyToken(placed(batch), hasPooler(used));
        }
    }

    private boolean hasPooler(@Nullable Head head) {
        return trunk.has(BertArchitecture.POOLER_WEIGHT)
                || (head != null && head.store().has(BertArchitecture.POOLER_WEIGHT));
    }

    /// Sets the gradients of the trunk to zero.
    public void zeroGradients() {
        trunk.zeroGradients();
    }

    private PtNDArray outputs(@Nullable Head given, Batch batch) {
        refuseTooLong(batch);
        Head head = given == null ? ownHead : given;
        BertForward forward = new BertForward(config, name -> tensor(head, name), trunk.manager());
        return head == null ? forward.meanEmbeddings(placed(batch)) : forward.logits(placed(batch));
    }

    private void refuseTooLong(Batch batch) {
        if (batch.length() > config.maxPositions()) {
            throw new IllegalArgumentException(
                    "a batch of %d tokens a text, the model takes %d at most"
                            .formatted(batch.length(), config.maxPositions()));
        }
    }

    /// The batch with each token replaced by the place its embedding is held at.
    private Batch placed(Batch batch) {
        return tokens == null
                ? batch
                : new Batch(
                        batch.rows(),
                        batch.length(),
                        tokens.places(batch.inputIds()),
                        batch.attentionMask(),
                        batch.tokenTypeIds());
    }

    /// All hidden states, for comparison with reference implementations.
    List<float[]> hiddenStates(Batch batch) {
        try (var _ = new GradMode(false);
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            return new BertForward(config, trunk::tensor, trunk.manager())
                    .hiddenStates(placed(batch)).stream().map(PtNDArray::toFloatArray).toList();
        }
    }

    private PtNDArray tensor(@Nullable Head head, String name) {
        return head != null && head.store().hasTensor(name)
                ? head.store().tensor(name)
                : trunk.tensor(name);
    }

    private Outputs host(@Nullable Head head, PtNDArray outputs) {
        Outputs.Kind kind =
                head == null && ownHead == null ? Outputs.Kind.EMBEDDINGS : Outputs.Kind.LOGITS;
        Shape shape = outputs.getShape();
        return new Outputs(kind, (int) shape.get(0), (int) shape.get(1), outputs.toFloatArray());
    }

    /// Native arrays that live as long as the model; constant while it is used.
    int managedArrays() {
        return trunk.manager().getManagedArrays().size();
    }

    @Override
    public void close() {
        if (ownHead != null) {
            ownHead.close();
        }
        trunk.close();
    }

    /// Whether the engine records gradients is a property of the thread, and new threads record:
    /// every pass says what it wants and puts back what it found.
    private static final class GradMode implements AutoCloseable {
        private final boolean before = JniUtils.isGradMode();

        GradMode(boolean wanted) {
            JniUtils.setGradMode(wanted);
        }

        @Override
        public void close() {
            JniUtils.setGradMode(before);
        }
    }
}
