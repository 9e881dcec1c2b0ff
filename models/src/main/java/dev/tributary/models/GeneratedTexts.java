package dev.tributary.models;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// What a model answered token by token, how well, and how likely it held the most likely tokens at
/// every step: enough to say later how far another model is from it.
///
/// Of each distribution the [#LEADING] most likely tokens are kept one by one and all others as one
/// sum ([LeadingTokens]), so divergences computed from this are lower bounds, and exact for
/// vocabularies that small.
public final class GeneratedTexts {
    /// Tokens kept one by one.
    public static final int LEADING = 64;

    private static final int ROWS = 16;

    private final double value;
    private final List<long[]> answers;
    private final int leading;
    private final int[] ids;
    private final float[] logProbabilities;

    /// @param ids `leading` of each token of the answers, in order
    /// @param logProbabilities theirs, and that of all others, for each token of the answers
    private GeneratedTexts(
            double value, List<long[]> answers, int leading, int[] ids, float[] logProbabilities) {
        this.value = value;
        this.answers = List.copyOf(answers);
        this.leading = leading;
        this.ids = ids;
        this.logProbabilities = logProbabilities;
    }

    /// Has a model answer.
    public static GeneratedTexts of(RunningModel model, Scorer scorer) {
        List<long[]> answers = scorer.generate(model);
        double value = scorer.scoreAnswers(model, answers).value();
        int vocabulary = model.config().vocabulary();
        int leading = Math.min(LEADING, vocabulary);
        int tokens = answers.stream().mapToInt(answer -> answer.length).sum();
        int[] ids = new int[tokens * leading];
        float[] logProbabilities = new float[tokens * (leading + 1)];
        eachToken(
                model,
                scorer,
                answers,
                (token, logits) -> {
                    int[] most = LeadingTokens.of(logits, 0, vocabulary, leading);
                    System.arraycopy(most, 0, ids, token * leading, leading);
                    write(logits, most, 0, leading, logProbabilities, token * (leading + 1));
                });
        return new GeneratedTexts(value, answers, leading, ids, logProbabilities);
    }

    /// The metric's value.
    public double value() {
        return value;
    }

    /// The mean Jensen-Shannon divergence, in nats, of what another model would have said at every
    /// token of these answers: over the tokens of an answer, then over answers.
    public double meanJensenShannon(RunningModel other, Scorer scorer) {
        int columns = leading + 1;
        int[] answerOf = new int[logProbabilities.length / columns];
        int next = 0;
        for (int item = 0; item < answers.size(); item++) {
            int end = next + answers.get(item).length;
            Arrays.fill(answerOf, next, end, item);
            next = end;
        }
        double[] sums = new double[answers.size()];
        float[] row = new float[columns];
        eachToken(
                other,
                scorer,
                answers,
                (token, logits) -> {
                    write(logits, ids, token * leading, leading, row, 0);
                    float[] own =
                            Arrays.copyOfRange(
                                    logProbabilities, token * columns, (token + 1) * columns);
                    int item = answerOf[token];
                    sums[item] +=
                            Divergences.meanJensenShannon(row, own, columns)
                                    / answers.get(item).length;
                });
        return Arrays.stream(sums).average().orElse(0);
    }

    private interface TokenReceiver {
        /// @param token counted over all answers
        /// @param logits log-probabilities of the whole vocabulary
        void take(int token, float[] logits);
    }

    private static void eachToken(
            RunningModel model, Scorer scorer, List<long[]> answers, TokenReceiver receiver) {
        int[] first = new int[answers.size()];
        for (int item = 1; item < first.length; item++) {
            first[item] = first[item - 1] + answers.get(item - 1).length;
        }
        int columns = model.config().vocabulary();
        AnsweredTexts texts = scorer.answered(model, answers);
        for (int[] group : texts.byLength(ROWS)) {
            float[] logits = model.logits(null, texts.batch(group));
            LogSoftmax.inPlace(logits, logits.length / columns, columns);
            int row = 0;
            for (int item : group) {
                for (int token = 0; token < texts.answers(item); token++) {
                    receiver.take(
                            first[item] + token,
                            Arrays.copyOfRange(logits, row * columns, (row + 1) * columns));
                    row++;
                }
            }
        }
    }

    /// Log-probabilities of some tokens, and of all others together.
    private static void write(
            float[] all, int[] tokens, int tokensFrom, int count, float[] target, int from) {
        double[] exact = new double[all.length];
        for (int token = 0; token < exact.length; token++) {
            exact[token] = all[token];
        }
        double[] together = new double[count + 1];
        LeadingTokens.together(exact, exact.length, tokens, tokensFrom, count, together);
        for (int i = 0; i <= count; i++) {
            target[from + i] = (float) together[i];
        }
    }

    /// These as bytes that [#of(byte[])] reads.
    public byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeDouble(value);
            out.writeInt(answers.size());
            for (long[] answer : answers) {
                out.writeInt(answer.length);
                for (long token : answer) {
                    out.writeLong(token);
                }
            }
            out.writeInt(leading);
            for (int id : ids) {
                out.writeInt(id);
            }
            for (float logProbability : logProbabilities) {
                out.writeFloat(logProbability);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /// Reads what [#toBytes] gives; the caller vouches for the bytes.
    public static GeneratedTexts of(byte[] bytes) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            double value = in.readDouble();
            List<long[]> answers = new ArrayList<>();
            int tokens = 0;
            for (int left = in.readInt(); left > 0; left--) {
                long[] answer = new long[in.readInt()];
                for (int i = 0; i < answer.length; i++) {
                    answer[i] = in.readLong();
                }
                answers.add(answer);
                tokens += answer.length;
            }
            int leading = in.readInt();
            int[] ids = new int[tokens * leading];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = in.readInt();
            }
            float[] logProbabilities = new float[tokens * (leading + 1)];
            for (int i = 0; i < logProbabilities.length; i++) {
                logProbabilities[i] = in.readFloat();
            }
            return new GeneratedTexts(value, answers, leading, ids, logProbabilities);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
