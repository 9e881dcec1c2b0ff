package dev.tributary.models;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/// How well a generated text agrees with the expected one. A task's score is the mean over its
/// items, unless said otherwise.
public enum TextMetric implements Metric {
    /// The F1 score of single words (Lin 2004, ROUGE-1), as `rouge_score` computes it without a
    /// stemmer: lower case, words of letters and digits.
    ROUGE_1("rouge1") {
        @Override
        double score(String answer, String reference) {
            List<String> given = rougeWords(answer);
            List<String> expected = rougeWords(reference);
            return f1(common(given, expected), given.size(), expected.size());
        }
    },

    /// The F1 score of the longest common subsequence of words (Lin 2004, ROUGE-L), as
    /// `rouge_score` computes it without a stemmer.
    ROUGE_L("rougeL") {
        @Override
        double score(String answer, String reference) {
            List<String> given = rougeWords(answer);
            List<String> expected = rougeWords(reference);
            return f1(longestCommon(given, expected), given.size(), expected.size());
        }
    },

    /// 1 where the texts are the same, spaces around them aside.
    EXACT_MATCH("exact_match") {
        @Override
        double score(String answer, String reference) {
            return answer.strip().equals(reference.strip()) ? 1 : 0;
        }
    },

    /// The F1 score of words as SQuAD's evaluation computes it (Rajpurkar et al. 2016): lower case,
    /// without punctuation and articles.
    TOKEN_F1("token_f1") {
        @Override
        double score(String answer, String reference) {
            List<String> given = squadWords(answer);
            List<String> expected = squadWords(reference);
            if (given.isEmpty() || expected.isEmpty()) {
                return given.equals(expected) ? 1 : 0;
            }
            return f1(common(given, expected), given.size(), expected.size());
        }
    },

    /// The chrF2 score of a sentence (Popović 2015), as `sacrebleu.sentence_chrf` computes it:
    /// n-grams of 1 to 6 characters, spaces left out, recall counting twice as much as precision;
    /// here in [0, 1].
    CHRF("chrf") {
        @Override
        double score(String answer, String reference) {
            return chrf(answer, reference, RECALL_WEIGHT);
        }
    },

    /// One divided by the perplexity of the expected texts: the geometric mean, over all their
    /// tokens, of the probability the model gives each. Nothing is generated for it.
    INVERSE_PERPLEXITY("inverse_perplexity") {
        @Override
        double score(String answer, String reference) {
            throw new IllegalStateException("a likelihood, not a comparison of texts");
        }
    };

    private static final Pattern NO_WORD = Pattern.compile("[^a-z0-9]+");
    private static final Pattern SPACE = Pattern.compile("\\s+");
    private static final Pattern PUNCTUATION = Pattern.compile("\\p{Punct}");
    private static final Pattern ARTICLE = Pattern.compile("\\b(a|an|the)\\b");
    private static final int LONGEST_GRAM = 6;
    private static final double RECALL_WEIGHT = 2;

    private final String id;

    TextMetric(String id) {
        this.id = id;
    }

    @Override
    public String id() {
        return id;
    }

    /// The score of one answer.
    abstract double score(String answer, String reference);

    private static List<String> rougeWords(String text) {
        return words(NO_WORD.matcher(text.toLowerCase(Locale.ROOT)).replaceAll(" "));
    }

    private static List<String> squadWords(String text) {
        String plain = PUNCTUATION.matcher(text.toLowerCase(Locale.ROOT)).replaceAll("");
        return words(ARTICLE.matcher(plain).replaceAll(" "));
    }

    private static List<String> words(String text) {
        return Arrays.stream(SPACE.split(text.strip())).filter(word -> !word.isEmpty()).toList();
    }

    private static double f1(int common, int given, int expected) {
        return common == 0 ? 0 : 2.0 * common / (given + expected);
    }

    private static int common(List<String> given, List<String> expected) {
        return overlap(counts(given), counts(expected));
    }

    private static Map<String, Integer> counts(List<String> words) {
        Map<String, Integer> counts = new HashMap<>();
        words.forEach(word -> counts.merge(word, 1, Integer::sum));
        return counts;
    }

    private static int overlap(Map<String, Integer> one, Map<String, Integer> other) {
        int sum = 0;
        for (Map.Entry<String, Integer> entry : one.entrySet()) {
            sum += Math.min(entry.getValue(), other.getOrDefault(entry.getKey(), 0));
        }
        return sum;
    }

    private static int longestCommon(List<String> one, List<String> other) {
        int[] row = new int[other.size() + 1];
        for (String word : one) {
            int diagonal = 0;
            for (int j = 1; j < row.length; j++) {
                int above = row[j];
                row[j] = word.equals(other.get(j - 1)) ? diagonal + 1 : Math.max(above, row[j - 1]);
                diagonal = above;
            }
        }
        return row[other.size()];
    }

    /// Precision and recall are averaged over the lengths both texts have n-grams of.
    ///
    /// @param beta how much more recall counts than precision
    static double chrf(String answer, String reference, double beta) {
        String given = SPACE.matcher(answer).replaceAll("");
        String expected = SPACE.matcher(reference).replaceAll("");
        double precision = 0;
        double recall = 0;
        int lengths = 0;
        for (int length = 1; length <= LONGEST_GRAM; length++) {
            Map<String, Integer> ofGiven = counts(grams(given, length));
            Map<String, Integer> ofExpected = counts(grams(expected, length));
            if (!ofGiven.isEmpty() && !ofExpected.isEmpty()) {
                double common = overlap(ofGiven, ofExpected);
                precision += common / sum(ofGiven);
                recall += common / sum(ofExpected);
                lengths++;
            }
        }
        if (lengths == 0 || precision + recall == 0) {
            return 0;
        }
        double p = precision / lengths;
        double r = recall / lengths;
        return (1 + beta * beta) * p * r / (beta * beta * p + r);
    }

    private static int sum(Map<String, Integer> counts) {
        return counts.values().stream().mapToInt(Integer::intValue).sum();
    }

    private static List<String> grams(String text, int length) {
        int[] points = text.codePoints().toArray();
        return java.util.stream.IntStream.rangeClosed(0, points.length - length)
                .mapToObj(from -> new String(points, from, length))
                .toList();
    }
}
