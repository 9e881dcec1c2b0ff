package dev.tributary.cli.chaos;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// What is wrong with a history, a sentence each. No findings, no faults.
final class Findings {
    /// What can go wrong.
    enum Kind {
        /// Something that was accepted has no answer, or not the one it must have.
        LOST,
        /// Something has two answers.
        DOUBLED,
        /// An artifact that could be seen under its name was not what its digest says.
        TORN,
        /// A worker that was no longer responsible has published.
        STALE,
        /// Answers are not in the order of what they answer.
        REORDERED,
        /// A generation that is made anew, from the log and the artifacts alone, is another.
        DIFFERENT
    }

    private final Map<Kind, List<String>> sentences = new EnumMap<>(Kind.class);

    synchronized void add(Kind kind, String sentence) {
        sentences.computeIfAbsent(kind, _ -> new ArrayList<>()).add(sentence);
    }

    synchronized void addAll(Findings others) {
        others.sentences.forEach((kind, found) ->
                sentences.computeIfAbsent(kind, _ -> new ArrayList<>()).addAll(found));
    }

    synchronized List<String> of(Kind kind) {
        return List.copyOf(sentences.getOrDefault(kind, Collections.emptyList()));
    }

    synchronized boolean none() {
        return sentences.isEmpty();
    }
}
