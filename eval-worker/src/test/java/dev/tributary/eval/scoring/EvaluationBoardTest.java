package dev.tributary.eval.scoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.tributary.eval.scoring.ScoringRequest.Subject;
import dev.tributary.eval.verdict.Results;
import dev.tributary.eval.verdict.TaskResult.Failed;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class EvaluationBoardTest {

    private static final Instant NOW = Instant.parse("2026-11-01T12:00:00Z");
    private final EvaluationBoard board = new EvaluationBoard(Clock.fixed(NOW, ZoneOffset.UTC));

    @Test
    void runningEvaluationsComeFirstThenTheLastOnes() {
        var first = board.begin(subject("mood"));
        first.ended(Results.scored("mood", Results.items(10)));
        var second = board.begin(subject("spam"));
        second.ended(new Failed("spam", "NO_SPACE", "the disk is full"));
        var third = board.begin(subject("topic"));
        third.update("generation", 2, 3);

        assertThat(board.views())
                .extracting(EvaluationView::task, EvaluationView::outcome, EvaluationView::stage)
                .containsExactly(
                        tuple("topic", "RUNNING", "generation"),
                        tuple("spam", "FAILED", "waiting"),
                        tuple("mood", "SCORED", "waiting"));
        assertThat(board.running()).isEqualTo(1);
        assertThat(board.views().get(1).failureSentence()).isEqualTo("the disk is full");
        assertThat(board.views().get(2).score()).isEqualTo(1.0);
    }

    @Test
    void anEvaluationThatEndsWithoutAResultIsAbandoned() {
        try (var running = board.begin(subject("mood"))) {
            running.update("expert", 1, 3);
        }

        assertThat(board.views()).extracting(EvaluationView::outcome).containsExactly("ABANDONED");
    }

    @Test
    void onlyTheLastFiftyAreRemembered() {
        for (int i = 0; i < 60; i++) {
            board.begin(subject("task-" + i)).close();
        }

        assertThat(board.views()).hasSize(50);
        assertThat(board.views().getFirst().task()).isEqualTo("task-59");
    }

    private static Subject subject(String task) {
        return new Subject("mail", 1, "g1", task);
    }
}
