package dev.tributary.models;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.util.PairList;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/// Turns text into the token ids of a checkpoint's vocabulary, as its `tokenizer.json` says.
///
/// Padding and truncation settings in the file are set aside: texts are cut to the length asked for
/// and padded to the longest of their batch. Safe for use by several threads.
public final class TextTokenizer implements AutoCloseable {
    /// The file in a checkpoint's folder.
    public static final String FILE = "tokenizer.json";

    private final Path file;
    private final ConcurrentMap<Integer, HuggingFaceTokenizer> byMaxTokens =
            new ConcurrentHashMap<>();

    private TextTokenizer(Path file) {
        this.file = file;
    }

    /// Opens the tokenizer of a checkpoint.
    public static TextTokenizer open(Path checkpointDirectory) {
        Path file = checkpointDirectory.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.CORRUPT_CHECKPOINT,
                            file.toString(),
                            "not there, expected the tokenizer's one-file form: save it beside the"
                                    + " weights with tokenizer.save_pretrained"));
        }
        return new TextTokenizer(file);
    }

    /// The digest of the vocabulary and its rules: equal digests mean equal token ids.
    public Digest digest() {
        return Digest.of(file);
    }

    /// Token ids of these texts as one batch, in their order.
    ///
    /// @param maxTokens longer inputs are cut, special tokens included
    public Batch encode(List<Example> examples, int maxTokens) {
        TokenizedTexts texts = tokenize(examples, maxTokens);
        int[] all = new int[texts.size()];
        for (int i = 0; i < all.length; i++) {
            all[i] = i;
        }
        return texts.batch(all);
    }

    /// Token ids of these texts, from which batches can be made.
    public TokenizedTexts tokenize(List<Example> examples, int maxTokens) {
        HuggingFaceTokenizer tokenizer = byMaxTokens.computeIfAbsent(maxTokens, this::load);
        Encoding[] encodings = new Encoding[examples.size()];
        List<Integer> single = new ArrayList<>();
        List<Integer> paired = new ArrayList<>();
        for (int i = 0; i < encodings.length; i++) {
            (examples.get(i).textPair() == null ? single : paired).add(i);
        }
        if (!single.isEmpty()) {
            List<String> texts = single.stream().map(i -> examples.get(i).text()).toList();
            place(tokenizer.batchEncode(texts), single, encodings);
        }
        if (!paired.isEmpty()) {
            List<String> first = paired.stream().map(i -> examples.get(i).text()).toList();
            List<String> second = paired.stream().map(i -> examples.get(i).textPair()).toList();
            place(tokenizer.batchEncode(new PairList<>(first, second)), paired, encodings);
        }
        long[][] ids = new long[encodings.length][];
        long[][] types = new long[encodings.length][];
        for (int i = 0; i < encodings.length; i++) {
            ids[i] = encodings[i].getIds();
            types[i] = encodings[i].getTypeIds();
        }
        return new TokenizedTexts(ids, types);
    }

    private static void place(Encoding[] from, List<Integer> rows, Encoding[] to) {
        for (int i = 0; i < from.length; i++) {
            to[rows.get(i)] = from[i];
        }
    }

    private HuggingFaceTokenizer load(int maxTokens) {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        try {
            return HuggingFaceTokenizer.builder()
                    .optTokenizerPath(file)
                    .optPadding(false)
                    .optTruncation(true)
                    .optMaxLength(maxTokens)
                    .build();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read %s".formatted(file), e);
        } catch (RuntimeException e) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.CORRUPT_CHECKPOINT,
                            file.toString(),
                            "no tokenizer can be made of it: %s".formatted(e.getMessage())),
                    e);
        }
    }

    @Override
    public void close() {
        byMaxTokens.values().forEach(HuggingFaceTokenizer::close);
        byMaxTokens.clear();
    }
}
