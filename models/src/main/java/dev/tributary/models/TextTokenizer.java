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
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SequencedSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.UnaryOperator;

/// Turns text into the token ids of a checkpoint's vocabulary, as its `tokenizer.json` says.
///
/// Padding and truncation settings in the file are set aside: texts are cut to the length asked for
/// and padded to the longest of their batch. Safe for use by several threads.
public final class TextTokenizer implements InputReader {
    /// The file in a checkpoint's folder.
    public static final String FILE = "tokenizer.json";

    private static final int UNCUT = 1 << 20;
    private static final double KEPT_WHEN_CUT = 0.95;

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

    @Override
    public Inputs read(List<Example> examples, int maxTokens) {
        return tokenize(examples, maxTokens);
    }

    /// The digest of the vocabulary and its rules: equal digests mean equal token ids.
    @Override
    public Digest digest() {
        Digest ofTokens = Digest.of(file);
        return ChatTemplate.find(folder())
                .map(template -> Digest.ofText(ofTokens + "\n" + template))
                .orElse(ofTokens);
    }

    private Path folder() {
        return Objects.requireNonNull(file.toAbsolutePath().getParent());
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

    /// Token ids of what a task asks for its examples. Where a prompt is longer, its text is cut,
    /// not what the task says around it.
    ///
    /// @param maxTokens of a prompt, special tokens included
    /// @throws RefusedException where what the task says around the text is longer by itself
    public TokenizedTexts prompts(
            TextGeneration generation, List<Example> examples, int maxTokens) {
        UnaryOperator<String> asked =
                generation.chat()
                        ? ChatTemplate.open(folder()).conversation(generation.system())
                        : UnaryOperator.identity();
        long[][] ids = new long[examples.size()][];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = prompt(generation, asked, examples.get(i), maxTokens);
        }
        return ofOneType(ids);
    }

    /// @param asked puts a prompt as the model wants it; a chat template writes special tokens
    ///   itself
    private long[] prompt(
            TextGeneration generation,
            UnaryOperator<String> asked,
            Example example,
            int maxTokens) {
        String text = example.text();
        String pair = Objects.requireNonNullElse(example.textPair(), "");
        long[] ids = asked(generation, asked, text, pair);
        while (ids.length > maxTokens && !(text.isEmpty() && pair.isEmpty())) {
            double share = KEPT_WHEN_CUT * maxTokens / ids.length;
            text = text.substring(0, (int) (text.length() * share));
            pair = pair.substring(0, (int) (pair.length() * share));
            ids = asked(generation, asked, text, pair);
        }
        if (ids.length > maxTokens) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.BAD_TASK,
                            "prompt",
                            "has %d tokens around the text, but %d fit in before an answer of up to %d: expected a shorter prompt, fewer max_new_tokens or more max_tokens"
                                    .formatted(ids.length, maxTokens, generation.maxNewTokens())));
        }
        return ids;
    }

    private long[] asked(
            TextGeneration generation, UnaryOperator<String> asked, String text, String pair) {
        String whole = asked.apply(generation.prompt(text, pair));
        return uncut().encode(whole, !generation.chat(), false).getIds();
    }

    /// Token ids of what is to be answered, each with the token that ends it.
    ///
    /// @param ends the tokens an answer may end with; the first is taken
    public List<long[]> answers(
            TextGeneration generation, List<String> texts, SequencedSet<Long> ends) {
        HuggingFaceTokenizer tokenizer = uncut();
        List<long[]> answers = new ArrayList<>();
        for (String text : texts) {
            long[] ids = tokenizer.encode(generation.following(text), false, false).getIds();
            int end = ends.isEmpty() ? 0 : 1;
            int kept = Math.min(ids.length, generation.maxNewTokens() - end);
            long[] answer = Arrays.copyOf(ids, Math.max(0, kept) + end);
            if (!ends.isEmpty()) {
                answer[answer.length - 1] = ends.getFirst();
            }
            answers.add(answer);
        }
        return answers;
    }

    /// The text of what was generated, without special tokens and spaces around it.
    public String text(long[] tokens) {
        return uncut().decode(tokens, true).strip();
    }

    /// Nothing anybody would want answered is longer.
    private HuggingFaceTokenizer uncut() {
        return byMaxTokens.computeIfAbsent(UNCUT, this::load);
    }

    private static TokenizedTexts ofOneType(long[][] ids) {
        return new TokenizedTexts(
                ids, Arrays.stream(ids).map(row -> new long[row.length]).toArray(long[][]::new));
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
