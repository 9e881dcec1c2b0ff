package dev.tributary.models;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Prompts with an answer each, of which a language model is asked, in one pass, what it would have
/// said at every token of the answers.
public final class AnsweredTexts implements Inputs {
    /// How many scores of tokens are held at once, at most: 256 MiB of them.
    private static final long MOST_SCORES = 1L << 26;

    private final TokenizedTexts prompts;
    private final List<long[]> answers;
    private final TokenizedTexts read;
    private final boolean decoded;
    private final int vocabulary;

    private AnsweredTexts(
            TokenizedTexts prompts,
            List<long[]> answers,
            int vocabulary,
            @Nullable Long startToken) {
        if (prompts.size() != answers.size()
                || answers.stream().anyMatch(answer -> answer.length == 0)) {
            throw new IllegalArgumentException(
                    "%d answers to %d prompts, expected one of a token or more to each"
                            .formatted(answers.size(), prompts.size()));
        }
        this.prompts = prompts;
        this.answers = List.copyOf(answers);
        this.decoded = startToken != null;
        this.vocabulary = vocabulary;
        long[][] ids = new long[answers.size()][];
        for (int i = 0; i < ids.length; i++) {
            long[] before = startToken != null ? new long[] {startToken} : prompts.ids(i);
            long[] answer = answers.get(i);
            ids[i] = Arrays.copyOf(before, before.length + answer.length - 1);
            System.arraycopy(answer, 0, ids[i], before.length, answer.length - 1);
        }
        long[][] types = Arrays.stream(ids).map(row -> new long[row.length]).toArray(long[][]::new);
        this.read = new TokenizedTexts(ids, types);
    }

    /// For a model that reads prompt and answer in one.
    ///
    /// @param vocabulary scores a token
    static AnsweredTexts following(TokenizedTexts prompts, List<long[]> answers, int vocabulary) {
        return new AnsweredTexts(prompts, answers, vocabulary, null);
    }

    /// For a model whose encoder reads the prompt and whose decoder reads the answer.
    ///
    /// @param vocabulary scores a token
    static AnsweredTexts decoded(
            TokenizedTexts prompts, List<long[]> answers, int vocabulary, long startToken) {
        return new AnsweredTexts(prompts, answers, vocabulary, startToken);
    }

    @Override
    public int size() {
        return answers.size();
    }

    /// Tokens of one prompt and its answer.
    @Override
    public int length(int item) {
        return prompts.length(item) + answers.get(item).length;
    }

    /// Tokens of its answer.
    @Override
    public int answers(int item) {
        return answers.get(item).length;
    }

    /// These prompts with their answers, in this order, asked at every token of the answers.
    @Override
    public Batch batch(int... items) {
        Batch batch = read.batch(items);
        int[] positions =
                IntStream.range(0, items.length)
                        .flatMap(row -> positions(row * batch.length(), items[row]))
                        .toArray();
        Batch asked = batch.at(positions);
        return decoded ? prompts.batch(items).answeredBy(asked) : asked;
    }

    /// Each token of an answer is asked for at the token before it.
    private IntStream positions(int start, int item) {
        int end = start + read.length(item);
        return IntStream.range(end - answers.get(item).length, end);
    }

    /// The tokens of these items' answers, one after the other.
    int[] tokens(int... items) {
        return Arrays.stream(items)
                .flatMap(item -> Arrays.stream(answers.get(item)).mapToInt(Math::toIntExact))
                .toArray();
    }

    /// Groups are so small that their scores can be held.
    @Override
    public List<int[]> byLength(int rows) {
        long longest = answers.stream().mapToInt(answer -> answer.length).max().orElse(1);
        long fit = Math.max(1, MOST_SCORES / (longest * vocabulary));
        return read.byLength((int) Math.min(rows, fit));
    }
}
