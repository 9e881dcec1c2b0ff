package dev.tributary.models;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How a task that is answered with a text is put to a model.
///
/// @param prompt what the model goes on from, with `{text}` and, for pairs, `{text_pair}` where an
///   example's texts come in
/// @param maxNewTokens an answer is cut to so many tokens
/// @param chat whether the prompt is a user's message, put as the model's chat template says
/// @param system the system's message before it; empty for none
public record TextGeneration(String prompt, int maxNewTokens, boolean chat, String system) {
    /// The prompt where a definition has none: the text itself.
    public static final String DEFAULT_PROMPT = "{text}";

    /// The length of answers where a definition does not say.
    public static final int DEFAULT_MAX_NEW_TOKENS = 64;

    static final int MOST_NEW_TOKENS = 1024;

    private static final Pattern PLACE = Pattern.compile("\\{(text|text_pair)}");

    /// What a model is asked for an example.
    String prompt(String text, String textPair) {
        return PLACE.matcher(prompt)
                .replaceAll(place ->
                        Matcher.quoteReplacement(place.group(1).equals("text") ? text : textPair));
    }

    /// Everything that tells one way of asking from another, in words.
    public String identity() {
        return chat
                ? "%d\n%s\nchat %d %s".formatted(maxNewTokens, prompt, system.length(), system)
                : "%d\n%s".formatted(maxNewTokens, prompt);
    }

    /// An answer as it follows the prompt: after a space, unless the prompt ends with one or a chat
    /// template has the last word.
    String following(String answer) {
        boolean spaced =
                chat
                        || (!prompt.isEmpty()
                                && Character.isWhitespace(prompt.charAt(prompt.length() - 1)));
        return spaced ? answer : " " + answer;
    }

    static boolean hasText(String prompt) {
        return prompt.contains("{text}");
    }
}
