package dev.tributary.models;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A model whose weights lie in native fp32 memory and can be rewritten in place between two
/// passes.
///
/// One model belongs to one thread at a time; several models may run in one JVM at once. Gradients
/// are taken of the weights themselves, as leaves of the computation, so that whoever composes the
/// weights out of others (a merge) can take the inner products on its own.
public final class RunningModel implements AutoCloseable {
    /// Tokens of small batches that go through the trunk together: enough for the engine's
    /// multiplications to be at their best, few enough for their intermediate results to be small
    /// beside a model.
    private static final long PACKED_TOKENS = 2048;

    /// What a way back may need of memory beside a small model and its gradients; a large one's may
    /// need half of what the model takes.
    private static final long LEAST_PASS_BYTES = 256L << 20;

    /// Numbers kept for each score of an answer: the score, its exponential, its derivative, and
    /// the copies of them on either side.
    private static final int PER_SCORE = 6;

    private final ModelConfig config;
    private final ForwardArchitecture architecture;
    private final Weights trunk;
    private final @Nullable Head ownHead;
    private final @Nullable TokenSubset tokens;
    private final SequencedSet<Long> endTokens;

    /// Scores and their derivatives on the way through the host, kept from one pass to the next: a
    /// vocabulary's are tens of megabytes.
    private float[] scores = {};

    private float[] derivative = {};

    private RunningModel(
            ModelConfig config,
            ForwardArchitecture architecture,
            Weights trunk,
            @Nullable Head ownHead,
            @Nullable TokenSubset tokens,
            SequencedSet<Long> endTokens) {
        this.config = config;
        this.architecture = architecture;
        this.trunk = trunk;
        this.ownHead = ownHead;
        this.tokens = tokens;
        this.endTokens = endTokens;
    }

    /// Reads a checkpoint's trunk, and its classifier where it has one.
    ///
    /// @throws RefusedException with every tensor that is missing or of another shape than the
    ///   configuration says
    public static RunningModel open(Checkpoint checkpoint) {
        return read(checkpoint, null);
    }

    /// Reads a checkpoint's trunk, and its classifier where it has one, for inputs of these tokens
    /// alone.
    ///
    /// @throws RefusedException with every tensor that is missing or of another shape than the
    ///   configuration says
    public static RunningModel open(Checkpoint checkpoint, TokenSubset tokens) {
        return read(checkpoint, tokens);
    }

    private static RunningModel read(Checkpoint checkpoint, @Nullable TokenSubset tokens) {
        ModelConfig config =
                ModelConfig.of(checkpoint.config(), checkpoint.directory() + "/config.json");
        ForwardArchitecture architecture = ForwardArchitecture.of(config);
        CheckpointReader reader = new CheckpointReader(checkpoint, architecture);
        List<Block> blocks = new ArrayList<>(architecture.blocks());
        blocks.removeIf(block -> {
            String name = block.names().getFirst();
            return architecture.optional(name) && !reader.has(name);
        });
        boolean classifies = !config.labels().isEmpty();
        List<Block> all = new ArrayList<>(blocks);
        List<Block> classifier = architecture.classifierBlocks(config.labels().size());
        if (classifies) {
            all.addAll(classifier);
        }
        reader.refuseUnlessFits(all);
        TokenSubset held = architecture.readsTokensOnly() ? tokens : null;
        return new RunningModel(
                config,
                architecture,
                reader.read(blocks, held),
                classifies
                        ? new Head(reader.read(classifier, null), labelWeight(architecture))
                        : null,
                held,
                EndTokens.of(checkpoint));
    }

    /// The tokens the checkpoint ends what it generates with; none where it does not say.
    public SequencedSet<Long> endTokens() {
        return endTokens;
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

    /// To be told when values that were asked for earlier have been written to since: on a graphics
    /// card they have to go there before the next pass.
    public void rewritten() {
        trunk.rewritten();
    }

    /// Which stretches of a parameter of the trunk are held, in order: all of it in one, unless the
    /// model was opened for some tokens alone and this is the table of their embeddings.
    public List<HeldStretch> held(String canonicalName) {
        if (tokens != null && canonicalName.equals(architecture.tokenTable())) {
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
    /// @throws RefusedException with every tensor that is missing or of another shape than the
    ///   trunk's
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
        long labels = reader.rowsOf(labelWeight(architecture));
        for (Block block : architecture.classifierBlocks(Math.toIntExact(labels))) {
            addIfWanted(block, canonicalNames, blocks);
        }
        reader.refuseUnlessFits(blocks);
        return new Head(reader.read(blocks, null), labelWeight(architecture));
    }

    private static String labelWeight(Architecture architecture) {
        return architecture
                .labelWeight()
                .orElseThrow(() -> new IllegalStateException("a family that classifies nothing"));
    }

    private static void addIfWanted(Block block, Set<String> wanted, List<Block> blocks) {
        if (wanted.containsAll(block.names())) {
            blocks.add(block);
        } else if (block.names().stream().anyMatch(wanted::contains)) {
            throw new IllegalArgumentException(
                    "a head takes all of %s or none".formatted(block.names()));
        }
    }

    /// A head for so many labels that no one has trained yet; with a pooler where the trunk has
    /// none but its family does.
    Head freshHead(int labels, long seed) {
        List<Block> blocks = new ArrayList<>(architecture.blocks());
        blocks.removeIf(block -> {
            String name = block.names().getFirst();
            return !architecture.optional(name) || trunk.has(name);
        });
        List<Block> classifier = architecture.classifierBlocks(labels);
        if (classifier.isEmpty()) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.UNSUPPORTED_ARCHITECTURE,
                            config.architecture(),
                            "classifies nothing, expected an encoder, a ViT or CLIPForImageClassification"));
        }
        if (config instanceof VisionConfig vision && vision.head() == ImageHead.TEXT_WEIGHTS) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.UNSUPPORTED_ARCHITECTURE,
                            config.architecture(),
                            "answers by embeddings of texts, which are not trained: expected CLIPForImageClassification"));
        }
        blocks.addAll(classifier);
        Head head = new Head(new Weights(blocks), labelWeight(architecture));
        FreshHead.fill(head, architecture, seed);
        return head;
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
            double value = apply(loss, outputs);
            try (Arena arena = Arena.ofConfined()) {
                PtNDArray upstream =
                        EngineArrays.over(trunk.manager(), arena, derivative, outputs.getShape());
                JniUtils.backward(outputs, upstream, false, false);
                upstream.close();
            }
            return value;
        }
    }

    /// Makes room for scores and their derivatives, which are zeros then.
    private void hold(int count) {
        if (scores.length < count) {
            scores = new float[count];
            derivative = new float[count];
        } else {
            Arrays.fill(derivative, 0, count, 0);
        }
    }

    /// As [#backward(Head, Batch, LogitLoss)], but only forwards.
    ///
    /// @return the loss
    public double loss(@Nullable Head head, Batch batch, LogitLoss loss) {
        try (var _ = new GradMode(false);
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            return apply(loss, outputs(head, batch));
        }
    }

    /// Takes outputs to the host and leaves their derivatives there.
    private double apply(LogitLoss loss, PtNDArray outputs) {
        Shape shape = outputs.getShape();
        int rows = (int) shape.get(0);
        int columns = (int) shape.get(1);
        hold(Math.multiplyExact(rows, columns));
        EngineArrays.read(outputs, scores);
        return loss.apply(scores, rows, columns, derivative);
    }

    /// What a way through may need of memory beside the model and its gradients, in bytes.
    public long passBytes() {
        long elements =
                parameters().values().stream()
                        .mapToLong(shape -> shape.stream().reduce(1L, Math::multiplyExact))
                        .sum();
        return Math.max(LEAST_PASS_BYTES, elements * Float.BYTES / 2);
    }

    /// Splits inputs, in their order, into parts that can be sent back through the model one by one
    /// in little memory: all of them in one where they are short or the model is small.
    ///
    /// @param bytes what one may need beside the model and its gradients
    public List<int[]> parts(Inputs inputs, int[] items, long bytes) {
        List<int[]> parts = new ArrayList<>();
        long perAnswer = config.generates() ? PER_SCORE * 4L * config.vocabulary() : 0;
        int from = 0;
        long longest = 0;
        long answers = 0;
        for (int i = 0; i < items.length; i++) {
            longest = Math.max(longest, inputs.length(items[i]));
            answers += inputs.answers(items[i]);
            long tokens = longest * (i + 1 - from);
            if (i > from && tokens * config.keptBytes() + answers * perAnswer > bytes) {
                parts.add(Arrays.copyOfRange(items, from, i));
                from = i;
                longest = inputs.length(items[i]);
                answers = inputs.answers(items[i]);
            }
        }
        parts.add(Arrays.copyOfRange(items, from, items.length));
        return parts;
    }

    /// A batch, the head it is answered through, and the loss of the answers.
    ///
    /// @param head the task's, or null for the model's own
    public record LossTerm(@Nullable Head head, Batch batch, LogitLoss loss) {}

    /// As [#backward(Head, Batch, LogitLoss)] for each of these; small batches go through the trunk
    /// together where the family can.
    ///
    /// @return each one's loss
    public double[] backward(List<LossTerm> terms) {
        double[] losses = new double[terms.size()];
        int from = 0;
        while (from < losses.length) {
            int to = from + together(terms.subList(from, losses.length));
            if (to == from + 1) {
                LossTerm one = terms.get(from);
                losses[from] = backward(one.head(), one.batch(), one.loss());
            } else {
                double[] some = backwardTogether(terms.subList(from, to));
                System.arraycopy(some, 0, losses, from, some.length);
            }
            from = to;
        }
        return losses;
    }

    /// How many of these, from the first on, go through the trunk together.
    private int together(List<LossTerm> terms) {
        int count = 0;
        long tokens = 0;
        long most = Math.min(PACKED_TOKENS, passBytes() / config.keptBytes());
        while (count < terms.size() && packs(terms.get(count).head())) {
            tokens += Packed.cells(terms.get(count).batch());
            if (tokens > most) {
                break;
            }
            count++;
        }
        return Math.max(1, count);
    }

    private boolean packs(@Nullable Head head) {
        return architecture.packs()
                && head != null
                && head.parameters().keySet().stream()
                        .allMatch(name ->
                                architecture.optional(name) || architecture.taskSpecific(name));
    }

    private double[] backwardTogether(List<LossTerm> terms) {
        try (var _ = new GradMode(true);
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            terms.forEach(term -> refuseTooLong(term.batch()));
            List<PtNDArray> outputs =
                    forward(null, LayerTap.NONE)
                            .outputs(
                                    terms.stream().map(LossTerm::batch).toList(),
                                    terms.stream()
                                            .map(term -> forward(term.head(), LayerTap.NONE))
                                            .toList());
            double[] losses = new double[terms.size()];
            NDList weighted = new NDList();
            for (int i = 0; i < losses.length; i++) {
                Outputs host = host(terms.get(i).head(), outputs.get(i));
                float[] derivative = new float[host.values().length];
                losses[i] =
                        terms.get(i)
                                .loss()
                                .apply(host.values(), host.rows(), host.columns(), derivative);
                PtNDArray upstream =
                        EngineArrays.floats(
                                trunk.manager(), derivative, host.rows(), host.columns());
                weighted.add(outputs.get(i).mul(upstream).reshape(derivative.length));
            }
            // The derivative of the sum of outputs times constants by an output is its constant.
            PtNDArray sum = Packed.concat(weighted).sum();
            JniUtils.backward(sum, EngineArrays.scalar(trunk.manager(), 1), false, false);
            return losses;
        }
    }

    /// Runs the model forwards once and backwards several times; the gradients are those of one way
    /// back alone.
    ///
    /// @param derivatives makes of the logits what goes back, each by itself
    /// @param then told each time while the gradients can be read
    void backwardEach(
            Head head, Batch batch, Function<float[], List<float[]>> derivatives, Runnable then) {
        try (var _ = new GradMode(true);
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            PtNDArray outputs = outputs(head, batch);
            Outputs host = host(head, outputs);
            List<float[]> all = derivatives.apply(host.values());
            for (int i = 0; i < all.size(); i++) {
                zeroGradients();
                PtNDArray upstream =
                        EngineArrays.floats(
                                trunk.manager(), all.get(i), host.rows(), host.columns());
                JniUtils.backward(outputs, upstream, i + 1 < all.size(), false);
                then.run();
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
            TokenRows rows = new TokenRows(architecture, batch, watcher);
            forward(used, rows).everyToken(batch, hasPooler(used));
        }
    }

    private boolean hasPooler(@Nullable Head head) {
        return architecture.trunk().keySet().stream()
                .filter(architecture::optional)
                .anyMatch(name -> trunk.has(name) || (head != null && head.store().has(name)));
    }

    /// Prompts with answers, as this model reads them.
    ///
    /// @param answers tokens, one or more to each prompt
    /// @throws IllegalStateException where it generates nothing
    public AnsweredTexts answered(TokenizedTexts prompts, List<long[]> answers) {
        return architecture.answered(prompts, answers);
    }

    /// Goes on from each prompt with the token the model holds most likely, again and again,
    /// without gradients.
    ///
    /// @param mostTokens after so many it stops
    /// @param ends tokens after which it stops, which belong to what is generated
    /// @return the tokens that follow each prompt, in the order of the prompts
    public List<long[]> generate(TokenizedTexts prompts, int mostTokens, Set<Long> ends) {
        return new GreedyDecoder(config, architecture, () -> forward(null, LayerTap.NONE))
                .generate(prompts, mostTokens, ends);
    }

    /// Sets the gradients of the trunk to zero.
    public void zeroGradients() {
        trunk.zeroGradients();
    }

    private PtNDArray outputs(@Nullable Head given, Batch batch) {
        refuseTooLong(batch);
        Head head = given == null ? ownHead : given;
        return forward(head, LayerTap.NONE).outputs(batch, head != null);
    }

    private ForwardPass forward(@Nullable Head head, LayerTap tap) {
        trunk.settle();
        if (head != null) {
            head.store().settle();
        }
        return architecture.forward(name -> tensor(head, name), trunk.manager(), tokens, tap);
    }

    private void refuseTooLong(Batch batch) {
        if (batch.length() > config.maxPositions()) {
            throw new IllegalArgumentException(
                    "a batch of %d tokens a text, the model takes %d at most"
                            .formatted(batch.length(), config.maxPositions()));
        }
    }

    /// All hidden states, for comparison with reference implementations.
    List<float[]> hiddenStates(Batch batch) {
        try (var _ = new GradMode(false);
                NDScope scope = new NDScope()) {
            scope.suppressNotUsedWarning();
            return forward(null, LayerTap.NONE).hiddenStates(batch).stream()
                    .map(PtNDArray::toFloatArray)
                    .toList();
        }
    }

    private PtNDArray tensor(@Nullable Head head, String name) {
        return head != null && head.store().hasTensor(name)
                ? head.store().tensor(name)
                : trunk.tensor(name);
    }

    private Outputs host(@Nullable Head head, PtNDArray outputs) {
        boolean embeds = head == null && ownHead == null && architecture.embeds();
        Outputs.Kind kind = embeds ? Outputs.Kind.EMBEDDINGS : Outputs.Kind.LOGITS;
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
}
