package dev.tributary.cli.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.cli.chaos.Findings.Kind;
import dev.tributary.events.AlertState;
import dev.tributary.events.ArtifactReference;
import dev.tributary.events.DeadLetter;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationFailed;
import dev.tributary.events.GenerationMember;
import dev.tributary.events.GenerationMerged;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.PromotionReason;
import dev.tributary.events.RegressionAlert;
import dev.tributary.events.Verdict;
import dev.tributary.schemas.Topic;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.avro.specific.SpecificRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A sound history is found sound, and each way to spoil it is found under its name.
class HistoryTest {
    private static final ArtifactReference ARTIFACT =
            new ArtifactReference("store:generations/x", "sha256:" + "0".repeat(64), 1L);

    /// What was sent and what came of it, to be spoilt.
    static final class Story {
        final List<Sent> sent = new ArrayList<>();
        final List<Seen> seen = new ArrayList<>();

        void sent(Sent.Kind kind, @Nullable String id, @Nullable String task) {
            sent.add(new Sent(kind, id, "p", task, 0, sent.size()));
        }

        void seen(Topic topic, SpecificRecord event) {
            seen.add(new Seen(topic, 0, seen.size(), event));
        }

        <T extends SpecificRecord> List<T> events(Class<T> type) {
            return seen.stream().map(Seen::event).filter(type::isInstance).map(type::cast).toList();
        }

        void remove(SpecificRecord event) {
            seen.removeIf(one -> one.event().equals(event));
        }
    }

    /// Two tasks join, one is replaced, one withdrawn; an event comes twice, two records are
    /// refused.
    private static Story sound() {
        Story story = new Story();
        story.sent(Sent.Kind.CONFIGURE, "c", null);
        story.sent(Sent.Kind.PUBLISH, "a1", "a");
        story.sent(Sent.Kind.PUBLISH, "b1", "b");
        story.sent(Sent.Kind.AGAIN, "a1", "a");
        story.sent(Sent.Kind.WRONG_BASE, "w", "a");
        story.sent(Sent.Kind.PUBLISH, "a2", "a");
        story.sent(Sent.Kind.GARBAGE, null, null);
        story.sent(Sent.Kind.RETIRE, "r", "b");
        story.seen(
                Topic.GENERATIONS,
                generation(1, List.of("c", "a1", "b1"), Map.of("a", "a1", "b", "b1")));
        story.seen(Topic.DEAD_LETTERS, letter("w", 4));
        story.seen(Topic.GENERATIONS, generation(2, List.of("a2"), Map.of("a", "a2", "b", "b1")));
        story.seen(Topic.DEAD_LETTERS, letter(null, 6));
        story.seen(Topic.GENERATIONS, generation(3, List.of("r"), Map.of("a", "a2")));
        for (long number = 1; number <= 3; number++) {
            story.seen(Topic.EVALUATIONS, verdict(number));
        }
        story.seen(Topic.PROMOTIONS, promotion(1));
        story.seen(Topic.PROMOTIONS, promotion(3));
        story.seen(Topic.ALERTS, alert(AlertState.FIRING));
        story.seen(Topic.ALERTS, alert(AlertState.RESOLVED));
        return story;
    }

    @SuppressWarnings("ImmutableEnumChecker") // a lambda without state
    enum Spoiling {
        AN_ANSWER_IS_MISSING(
                Kind.LOST,
                story -> story.events(GenerationMerged.class).get(1).getCovers().clear()),
        THE_LAST_GENERATION_IS_MISSING(
                Kind.LOST,
                story -> {
                    story.remove(story.events(GenerationMerged.class).getLast());
                    story.remove(story.events(GenerationEvaluated.class).getLast());
                }),
        A_REFUSAL_IS_MISSING(
                Kind.LOST, story -> story.remove(story.events(DeadLetter.class).getFirst())),
        BYTES_THAT_ARE_NO_EVENT_VANISHED(
                Kind.LOST, story -> story.remove(story.events(DeadLetter.class).getLast())),
        WHAT_WAS_WITHDRAWN_AFTER_THE_NEXT_GENERATION_HAS_NO_ANSWER(
                Kind.LOST,
                story -> story.events(GenerationMerged.class).getFirst().getCovers().remove("b1")),
        A_SOUND_CHECKPOINT_IS_SET_ASIDE(
                Kind.LOST,
                story -> {
                    story.events(GenerationMerged.class).get(1).getCovers().clear();
                    story.seen(Topic.DEAD_LETTERS, letter("ARTIFACT_MISSING", "a2", 5));
                }),
        A_NUMBER_IS_LEFT_OUT(
                Kind.LOST,
                story -> story.events(GenerationMerged.class).getLast().put("number", 4L)),
        A_VERDICT_IS_MISSING(
                Kind.LOST, story -> story.remove(story.events(GenerationEvaluated.class).get(1))),
        A_GENERATION_IS_ANNOUNCED_TWICE(
                Kind.DOUBLED,
                story ->
                        story.seen(
                                Topic.GENERATIONS,
                                story.events(GenerationMerged.class).getFirst())),
        AN_EVENT_IS_COVERED_TWICE(
                Kind.DOUBLED,
                story -> story.events(GenerationMerged.class).getLast().getCovers().addFirst("a2")),
        A_REFUSED_EVENT_IS_COVERED(
                Kind.DOUBLED,
                story -> story.events(GenerationMerged.class).get(1).getCovers().add("w")),
        A_RECORD_IS_REFUSED_TWICE(
                Kind.DOUBLED, story -> story.seen(Topic.DEAD_LETTERS, letter("w", 4))),
        A_VERDICT_COMES_TWICE(Kind.DOUBLED, story -> story.seen(Topic.EVALUATIONS, verdict(2))),
        AN_ALERT_FIRES_TWICE(
                Kind.DOUBLED,
                story -> {
                    story.seen(Topic.ALERTS, alert(AlertState.FIRING));
                    story.seen(Topic.ALERTS, alert(AlertState.FIRING));
                }),
        A_PROMOTION_COMES_TWICE(Kind.DOUBLED, story -> story.seen(Topic.PROMOTIONS, promotion(3))),
        A_MEMBER_IS_OUT_OF_DATE(
                Kind.STALE,
                story ->
                        story.events(GenerationMerged.class)
                                .get(1)
                                .getMembers()
                                .set(0, member("a", "a1"))),
        A_WITHDRAWN_MEMBER_IS_BACK(
                Kind.STALE,
                story ->
                        story.events(GenerationMerged.class)
                                .getLast()
                                .getMembers()
                                .add(member("b", "b1"))),
        A_GENERATION_FOLLOWS_FROM_AN_OLDER_ONE(
                Kind.STALE,
                story -> story.events(GenerationMerged.class).getLast().put("previousNumber", 1L)),
        AN_OLDER_GENERATION_IS_PROMOTED(
                Kind.STALE, story -> story.seen(Topic.PROMOTIONS, promotion(2))),
        ANSWERS_ARE_OUT_OF_ORDER(
                Kind.REORDERED,
                story -> {
                    List<GenerationMerged> generations = story.events(GenerationMerged.class);
                    generations.get(0).getCovers().remove("b1");
                    generations.get(1).getCovers().add("b1");
                });

        private final Kind kind;
        private final Consumer<Story> change;

        Spoiling(Kind kind, Consumer<Story> change) {
            this.kind = kind;
            this.change = change;
        }
    }

    @Test
    void aSoundHistoryIsFoundSound() {
        Story story = sound();

        Findings findings = History.check(story.sent, story.seen);

        for (Kind kind : Kind.values()) {
            assertThat(findings.of(kind)).as(kind.name()).isEmpty();
        }
    }

    @Test
    void whatIsReadTwiceIsNotDoubled() {
        Story story = sound();
        story.seen.addAll(List.copyOf(story.seen));

        assertThat(History.check(story.sent, story.seen).none()).isTrue();
    }

    @Test
    void aRetirementThatWaitedWithAFailedCheckpointIsInForce() {
        Story story = new Story();
        story.sent(Sent.Kind.CONFIGURE, "c", null);
        story.sent(Sent.Kind.PUBLISH, "a1", "a");
        story.sent(Sent.Kind.PUBLISH, "b1", "b");
        story.sent(Sent.Kind.PUBLISH, "b2", "b");
        story.sent(Sent.Kind.RETIRE, "r", "a");
        story.seen(
                Topic.GENERATIONS,
                generation(1, List.of("c", "a1", "b1"), Map.of("a", "a1", "b", "b1")));
        story.seen(
                Topic.GENERATIONS,
                GenerationFailed.newBuilder()
                        .setPool("p")
                        .setCovers(List.of("b2", "r"))
                        .setCode("CRASH_LOOP")
                        .setSentences(List.of())
                        .setCodeVersion("1")
                        .setFailedAt(Instant.EPOCH)
                        .build());
        story.seen(Topic.DEAD_LETTERS, letter("CRASH_LOOP", "b2", 3));
        story.seen(Topic.GENERATIONS, generation(2, List.of(), Map.of("b", "b1")));
        story.seen(Topic.EVALUATIONS, verdict(1));
        story.seen(Topic.EVALUATIONS, verdict(2));

        assertThat(History.check(story.sent, story.seen).none()).isTrue();
    }

    @Test
    void anEventThatIsSentAgainAfterItWasRefusedCounts() {
        Story story = new Story();
        story.sent(Sent.Kind.PUBLISH, "a1", "a");
        story.sent(Sent.Kind.AGAIN, "a1", "a");
        story.seen(Topic.DEAD_LETTERS, letter("MERGE_FAILED", "a1", 0));
        story.seen(Topic.GENERATIONS, generation(1, List.of("a1"), Map.of("a", "a1")));
        story.seen(Topic.EVALUATIONS, verdict(1));

        assertThat(History.check(story.sent, story.seen).none()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Spoiling.class)
    void everyWayToSpoilItIsFoundUnderItsName(Spoiling spoiling) {
        Story story = sound();
        spoiling.change.accept(story);

        assertThat(History.check(story.sent, story.seen).of(spoiling.kind)).isNotEmpty();
    }

    private static GenerationMember member(String task, String eventId) {
        return new GenerationMember(task, eventId, ARTIFACT, ARTIFACT, null, List.of());
    }

    private static GenerationMerged generation(
            long number, List<String> covers, Map<String, String> members) {
        List<GenerationMember> list = new ArrayList<>();
        new TreeMap<>(members).forEach((task, id) -> list.add(member(task, id)));
        return GenerationMerged.newBuilder()
                .setPool("p")
                .setNumber(number)
                .setGenerationId("g" + number)
                .setArtifact(ARTIFACT)
                .setBase(ARTIFACT)
                .setMethod("ties")
                .setMembers(list)
                .setCovers(new ArrayList<>(covers))
                .setSeconds(1)
                .setPreviousNumber(number == 1 ? null : number - 1)
                .setCodeVersion("test")
                .setMergedAt(Instant.EPOCH)
                .build();
    }

    private static DeadLetter letter(@Nullable String eventId, long offset) {
        return letter("WRONG_BASE", eventId, offset);
    }

    private static DeadLetter letter(String code, @Nullable String eventId, long offset) {
        return DeadLetter.newBuilder()
                .setCode(code)
                .setSentences(List.of("[baseDigest] is another"))
                .setTopic(Topic.POOL_EVENTS.topicName())
                .setPartition(0)
                .setOffset(offset)
                .setEventId(eventId)
                .setPool("p")
                .setStage("admit")
                .setWorker("test")
                .setFailedAt(Instant.EPOCH)
                .build();
    }

    private static GenerationEvaluated verdict(long number) {
        return GenerationEvaluated.newBuilder()
                .setPool("p")
                .setNumber(number)
                .setGenerationId("g" + number)
                .setVerdict(Verdict.PASS)
                .setTasks(List.of())
                .setSentence("well")
                .setEvaluatedAt(Instant.EPOCH)
                .build();
    }

    private static GenerationPromoted promotion(long number) {
        return GenerationPromoted.newBuilder()
                .setPool("p")
                .setNumber(number)
                .setGenerationId("g" + number)
                .setArtifact(ARTIFACT)
                .setReason(PromotionReason.PASS)
                .setPromotedAt(Instant.EPOCH)
                .build();
    }

    private static RegressionAlert alert(AlertState state) {
        return RegressionAlert.newBuilder()
                .setAlertId("x")
                .setPool("p")
                .setRule("task-drop")
                .setState(state)
                .setNumber(2)
                .setSentence("worse")
                .setRaisedAt(Instant.EPOCH)
                .build();
    }
}
