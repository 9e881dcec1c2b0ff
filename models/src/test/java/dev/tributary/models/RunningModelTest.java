package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunningModelTest {
    private static final String QUERY = "encoder.layer.0.attention.self.query.weight";
    private static final String VALUE = "encoder.layer.0.attention.self.value.bias";

    private final Fixture fixture = Fixture.named("bert_cls");
    private final Checkpoint checkpoint = Checkpoint.open(fixture.folder());
    private final RunningModel model = RunningModel.open(checkpoint);

    @AfterEach
    void close() {
        model.close();
        checkpoint.close();
    }

    @Test
    void aStepLeavesNothingBehindInNativeMemory() {
        Head head = model.ownHead().orElseThrow();
        model.train(model.parameters().keySet());
        head.train(head.parameters().keySet());
        step();
        int before = model.managedArrays();

        for (int i = 0; i < 200; i++) {
            step();
        }

        assertThat(model.managedArrays()).isEqualTo(before).isGreaterThan(0);
    }

    private void step() {
        model.zeroGradients();
        model.backward(null, fixture.batch(), Fixture.crossEntropy(fixture.labels()));
        for (String name : model.parameters().keySet()) {
            model.gradient(name);
        }
        model.logits(null, fixture.batch());
    }

    @Test
    void weightsWrittenAreWeightsUsed() {
        float[] before = model.logits(null, fixture.batch());
        float[] query = Fixture.floats(model.weights(QUERY));

        model.weights(QUERY).fill((byte) 0);
        float[] without = model.logits(null, fixture.batch());
        MemorySegment.copy(query, 0, model.weights(QUERY), ValueLayout.JAVA_FLOAT, 0, query.length);
        float[] restored = model.logits(null, fixture.batch());

        assertThat(without).isNotEqualTo(before);
        assertThat(restored).isEqualTo(before);
    }

    @Test
    void gradientsAddUpUntilTheyAreSetToZero() {
        model.train(Set.of(QUERY, VALUE));
        LogitLoss loss = Fixture.crossEntropy(fixture.labels());
        model.backward(null, fixture.batch(), loss);
        float[] once = Fixture.floats(model.gradient(QUERY));

        model.backward(null, fixture.batch(), loss);
        float[] twice = Fixture.floats(model.gradient(QUERY));
        model.zeroGradients();

        for (int i = 0; i < once.length; i++) {
            assertThat(twice[i]).isEqualTo(2 * once[i]);
        }
        assertThat(once).isNotEqualTo(new float[once.length]);
        assertThat(Fixture.floats(model.gradient(QUERY))).containsOnly(0);
    }

    @Test
    void batchesOfSeveralHeadsGiveTheSameTogetherAsOneByOne() {
        Set<String> classifier = Set.of("classifier.weight", "classifier.bias");
        Set<String> andALayersNorm = new HashSet<>(classifier);
        andALayersNorm.add("encoder.layer.0.output.LayerNorm.weight");
        try (Head first = model.head(checkpoint, classifier);
                Head second = model.head(checkpoint, classifier);
                Head apart = model.head(checkpoint, andALayersNorm)) {
            second.weights("classifier.bias").set(ValueLayout.JAVA_FLOAT, 0, 3f);
            apart.weights("encoder.layer.0.output.LayerNorm.weight").fill((byte) 0);
            LogitLoss loss = Fixture.crossEntropy(fixture.labels());
            Batch whole = fixture.batch();
            List<RunningModel.LossTerm> terms =
                    List.of(
                            new RunningModel.LossTerm(first, whole, loss),
                            new RunningModel.LossTerm(second, whole, loss),
                            new RunningModel.LossTerm(first, leading(whole, 3), loss),
                            new RunningModel.LossTerm(apart, whole, loss));
            List<String> names =
                    List.of(
                            QUERY,
                            VALUE,
                            "embeddings.position_embeddings.weight",
                            "pooler.dense.bias");
            model.train(names);
            double[] alone =
                    terms.stream()
                            .mapToDouble(t -> model.backward(t.head(), t.batch(), t.loss()))
                            .toArray();
            List<float[]> expected =
                    names.stream().map(name -> Fixture.floats(model.gradient(name))).toList();
            model.zeroGradients();

            assertThat(model.backward(terms)).containsExactly(alone, within(1e-6));

            for (int i = 0; i < names.size(); i++) {
                assertThat(Fixture.floats(model.gradient(names.get(i))))
                        .containsExactly(expected.get(i), within(1e-6f));
            }
            assertThat(alone[0]).isNotCloseTo(alone[1], within(0.01));
            assertThat(alone[0]).isNotCloseTo(alone[3], within(0.001));
        }
    }

    /// The leading tokens of every text.
    private static Batch leading(Batch batch, int length) {
        return new Batch(
                batch.rows(),
                length,
                leading(batch.inputIds(), batch, length),
                leading(batch.attentionMask(), batch, length),
                leading(batch.tokenTypeIds(), batch, length));
    }

    private static long[] leading(long[] values, Batch batch, int length) {
        return IntStream.range(0, batch.rows() * length)
                .mapToLong(i -> values[i / length * batch.length() + i % length])
                .toArray();
    }

    @Test
    void onlyWhatIsTrainedHasAGradient() {
        model.train(Set.of(VALUE));
        model.backward(null, fixture.batch(), Fixture.crossEntropy(fixture.labels()));

        assertThat(Fixture.floats(model.gradient(VALUE))).isNotEqualTo(new float[32]);
        assertThatThrownBy(() -> model.gradient("embeddings.LayerNorm.weight"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("not among those trained");

        model.train(Set.of());
        assertThatThrownBy(() -> model.gradient(VALUE)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aModelOpenedForSomeTokensAnswersThemAlikeAndHoldsNoOthers() {
        Batch batch = fixture.batch();
        TokenizedTexts texts =
                new TokenizedTexts(new long[][] {batch.inputIds()}, new long[1][batch.length()]);
        String words = "embeddings.word_embeddings.weight";
        model.train(Set.of(words));
        LogitLoss loss = Fixture.crossEntropy(fixture.labels());
        model.backward(null, batch, loss);
        float[] whole = Fixture.floats(model.gradient(words));

        try (RunningModel small = RunningModel.open(checkpoint, TokenSubset.of(List.of(texts)))) {
            assertThat(small.logits(null, batch)).isEqualTo(model.logits(null, batch));
            assertThat(small.weights(words).byteSize()).isLessThan(model.weights(words).byteSize());

            small.train(Set.of(words));
            small.backward(null, batch, loss);
            float[] held = Fixture.floats(small.gradient(words));
            float[] spread = new float[whole.length];
            for (HeldStretch stretch : small.held(words)) {
                System.arraycopy(
                        held,
                        (int) stretch.heldFrom(),
                        spread,
                        (int) stretch.from(),
                        (int) stretch.count());
            }
            assertThat(spread).isEqualTo(whole);

            Batch stranger = new Batch(1, 1, new long[] {96}, new long[] {1}, new long[1]);
            assertThatThrownBy(() -> small.logits(null, stranger))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("[token 96] is not among");
        }
    }

    @Test
    void aHeadTakesThePlaceOfTheTrunksPooler() {
        float[] own = model.logits(null, fixture.batch());
        try (Head same =
                        model.head(
                                checkpoint,
                                Set.of(
                                        "classifier.weight",
                                        "classifier.bias",
                                        "pooler.dense.weight",
                                        "pooler.dense.bias"));
                Head classifierOnly =
                        model.head(checkpoint, Set.of("classifier.weight", "classifier.bias"))) {
            assertThat(same.labels()).isEqualTo(3);
            assertThat(model.logits(same, fixture.batch())).isEqualTo(own);

            model.weights("pooler.dense.weight").fill((byte) 0);

            assertThat(model.logits(same, fixture.batch())).isEqualTo(own);
            assertThat(model.logits(classifierOnly, fixture.batch())).isNotEqualTo(own);
        }
    }

    @Test
    void aHeadWithoutAClassifierIsAnError() {
        assertThatThrownBy(() -> model.head(checkpoint, Set.of("pooler.dense.weight")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("classifier.weight");
    }

    @Test
    void aQueryWithoutItsKeyIsAnError() {
        assertThatThrownBy(() ->
                        model.head(
                                checkpoint, Set.of("classifier.weight", "classifier.bias", QUERY)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("all of");
    }

    @Test
    void unmaskedAndMaskedTokensOfOneLengthGiveTheSameRow() {
        long[] ids = {2, 9, 8, 7, 3};
        long[] padded = {2, 9, 8, 7, 3, 0, 0};
        Batch bare = new Batch(1, 5, ids, new long[] {1, 1, 1, 1, 1}, new long[5]);
        Batch masked = new Batch(1, 7, padded, new long[] {1, 1, 1, 1, 1, 0, 0}, new long[7]);

        float[] one = model.logits(null, bare);
        float[] other = model.logits(null, masked);

        for (int i = 0; i < one.length; i++) {
            assertThat(other[i]).isCloseTo(one[i], org.assertj.core.api.Assertions.within(2e-6f));
        }
    }

    @Test
    void aGarbageCollectionBetweenForwardAndBackwardChangesNothing() {
        model.train(model.parameters().keySet());
        LogitLoss loss = Fixture.crossEntropy(fixture.labels());
        model.backward(null, fixture.batch(), loss);
        float[] expected = Fixture.floats(model.gradient(QUERY));
        model.zeroGradients();

        model.backward(
                null,
                fixture.batch(),
                (logits, rows, columns, gradient) -> {
                    System.gc();
                    overwriteWhatWasFreed();
                    return loss.apply(logits, rows, columns, gradient);
                });

        assertThat(Fixture.floats(model.gradient(QUERY))).isEqualTo(expected);
    }

    /// The cleaners of direct buffers run on a thread of their own and take a moment.
    private static void overwriteWhatWasFreed() {
        List<ByteBuffer> taken = new ArrayList<>();
        long end = System.nanoTime() + Duration.ofMillis(200).toNanos();
        while (System.nanoTime() < end && taken.size() < 100_000) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
            taken.add(buffer.putFloat(0, 1e30f));
        }
        assertThat(taken).isNotEmpty();
    }

    @Test
    void textsLongerThanTheModelsPositionsAreAnError() {
        Batch tooLong = new Batch(1, 41, new long[41], new long[41], new long[41]);

        assertThatThrownBy(() -> model.logits(null, tooLong))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("41 tokens")
                .hasMessageContaining("40 at most");
    }

    @Test
    void severalModelsRunOnSeveralThreadsAtOnce() throws Exception {
        model.train(Set.of(QUERY));
        List<Number> expected = numbers(model);
        Callable<List<Number>> work =
                () -> {
                    List<Number> numbers = List.of();
                    try (RunningModel other = RunningModel.open(checkpoint)) {
                        other.train(Set.of(QUERY));
                        for (int i = 0; i < 20; i++) {
                            numbers = numbers(other);
                            assertThat(numbers).as("pass %d", i).isEqualTo(expected);
                        }
                    }
                    return numbers;
                };
        List<Future<List<Number>>> results = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
            for (int i = 0; i < 3; i++) {
                results.add(threads.submit(work));
            }
        }

        for (Future<List<Number>> result : results) {
            assertThat(result.get()).isEqualTo(expected);
        }
    }

    /// The loss, a gradient and the logits of one pass.
    private List<Number> numbers(RunningModel running) {
        running.zeroGradients();
        List<Number> numbers = new ArrayList<>();
        numbers.add(
                running.backward(null, fixture.batch(), Fixture.crossEntropy(fixture.labels())));
        for (float value : Fixture.floats(running.gradient(QUERY))) {
            numbers.add(value);
        }
        for (float value : running.logits(null, fixture.batch())) {
            numbers.add(value);
        }
        return numbers;
    }

    @Test
    void everythingThatDoesNotFitTheConfigurationIsToldAtOnce(@TempDir Path folder)
            throws Exception {
        String config =
                Files.readString(fixture.folder().resolve("config.json"))
                        .replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3")
                        .replace("\"vocab_size\": 200", "\"vocab_size\": 201");
        Files.writeString(folder.resolve("config.json"), config);
        Files.copy(
                fixture.folder().resolve("model.safetensors"), folder.resolve("model.safetensors"));

        try (Checkpoint other = Checkpoint.open(folder)) {
            RefusedException refused =
                    catchThrowableOfType(RefusedException.class, () -> RunningModel.open(other));

            assertThat(refused.faults()).hasSize(17);
            assertThat(refused.faults())
                    .extracting(Fault::code)
                    .containsOnly(FailureCode.TENSOR_MISSING, FailureCode.SHAPE_MISMATCH);
        }
    }
}
