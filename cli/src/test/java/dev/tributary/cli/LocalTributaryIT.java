package dev.tributary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A person's session on the local stack: real broker, registry and workers, the pretrained MiniLM
/// encoder, experts fine-tuned on a few examples. Each step stands on the one before.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LocalTributaryIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path TASKS = Path.of("..", "examples", "tasks");

    private Path folder = Path.of("unset");
    private Path data = Path.of("unset");
    private Path base = Path.of("unset");
    private LocalTributary local;

    @BeforeAll
    void start(@TempDir Path temporary) {
        folder = temporary;
        data = folder.resolve("data");
        base = new dev.tributary.cli.demo.BaseModel(folder.resolve("models")).directory();
        local = LocalTributary.start(data, LocalTributary.Ports.free(), 1, Terminal.standard());
    }

    @AfterAll
    void stop() {
        local.close();
    }

    @Test
    @Order(1)
    void aCheckpointPublishedEndsInAGeneration() {
        expect(
                0,
                "pool",
                "create",
                "reviews",
                "--base",
                base.toString(),
                "--option",
                "max_steps=4");
        expert("sentiment_uci", "sentiment");
        String said =
                expect(
                        0,
                        "publish",
                        folder.resolve("sentiment").toString(),
                        "--pool",
                        "reviews",
                        "--task",
                        TASKS.resolve("sentiment_uci").toString(),
                        "--wait");
        assertThat(said).contains("generation 1 merged, members 1, by divmerge");
    }

    @Test
    @Order(2)
    void aSecondExpertJoinsAndTheGenerationIsEvaluated() throws IOException {
        expert("spam_mail", "spam");
        String said =
                expect(
                        0,
                        "publish",
                        folder.resolve("spam").toString(),
                        "--pool",
                        "reviews",
                        "--task",
                        TASKS.resolve("spam_mail").toString(),
                        "--wait");
        assertThat(said).contains("generation 2 merged, members 2");
        Awaitility.await()
                .atMost(Duration.ofMinutes(3))
                .until(() -> status().at("/evaluated/number").asLong() == 2);
        JsonNode status = status();
        assertThat(status.at("/evaluated/tasks")).hasSize(2);
        assertThat(status.at("/evaluated/anp").asDouble()).isPositive();
        assertThat(status.at("/state/experts")).hasSize(2);
        assertThat(status.at("/champion/number").asLong()).isPositive();
    }

    @Test
    @Order(3)
    void theSameCheckpointAgainYieldsNothingNew() throws IOException {
        String said =
                expect(
                        0,
                        "publish",
                        folder.resolve("spam").toString(),
                        "--pool",
                        "reviews",
                        "--task",
                        TASKS.resolve("spam_mail").toString(),
                        "--wait");
        assertThat(said).contains("nothing new: generation 2 has it already");
    }

    @Test
    @Order(4)
    void aGenerationCanBeMadeTheChampionByHand() throws IOException {
        expect(0, "promote", "reviews", "--generation", "1");
        assertThat(status().at("/champion/number").asLong()).isEqualTo(1);
        assertThat(expect(0, "promote", "reviews", "--generation", "1")).contains("already");
        assertThat(expect(3, "promote", "reviews", "--generation", "9")).isEmpty();
    }

    @Test
    @Order(5)
    void aRetiredExpertIsGoneFromTheNextGeneration() throws IOException {
        expect(0, "retire", "--pool", "reviews", "--task", "spam_mail", "--wait");
        assertThat(status().at("/state/generation/number").asLong()).isEqualTo(3);
    }

    @Test
    @Order(6)
    void aCheckpointOfAnotherBaseIsSetAsideWithItsReason() {
        String said =
                expect(
                        1,
                        "publish",
                        folder.resolve("spam").toString(),
                        "--pool",
                        "reviews",
                        "--task",
                        TASKS.resolve("spam_mail").toString(),
                        "--base-digest",
                        "sha256:" + "0".repeat(64),
                        "--wait");
        assertThat(said).contains("dead letter WRONG_BASE");

        String id = openDeadLetters().getFirst().path("id").asText();
        assertThat(expect(0, "dlq", "ls", "reviews")).contains(id, "open", "WRONG_BASE");
        assertThat(expect(0, "dlq", "show", id))
                .contains("WRONG_BASE", "CheckpointPublished", "spam_mail");
        assertThat(expect(0, "dlq", "replay", id, "--reason", "to see it come back"))
                .contains("replayed " + id + " to tributary.pool-events");
        expect(3, "dlq", "replay", id);
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .until(() ->
                        openDeadLetters().stream()
                                .anyMatch(letter ->
                                        letter.path("code").asText().equals("WRONG_BASE")));
        String next = openDeadLetters().getFirst().path("id").asText();
        assertThat(next).isNotEqualTo(id);
        assertThat(expect(0, "dlq", "discard", next, "--reason", "of another base"))
                .contains("discarded " + next);
        assertThat(expect(0, "dlq", "ls", "reviews")).contains("no open dead letters");
        assertThat(expect(0, "dlq", "ls", "--all")).contains("replayed", "discarded");
        expect(3, "dlq", "show", "pool-events-0-999");
    }

    private List<JsonNode> openDeadLetters() {
        List<JsonNode> letters = new ArrayList<>();
        try {
            JSON.readTree(expect(0, "dlq", "ls", "reviews", "-o", "json")).forEach(letters::add);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return letters;
    }

    @Test
    @Order(7)
    void everyEventCanBeRead() {
        List<String> events = new ArrayList<>();
        expect(0, "watch", "--from-start", "--once", "-o", "json")
                .lines()
                .filter(line -> line.startsWith("{"))
                .forEach(line -> events.add(field(line, "event")));
        assertThat(events)
                .contains(
                        "PoolConfigured",
                        "CheckpointPublished",
                        "GenerationMerged",
                        "TaskEvaluated",
                        "GenerationEvaluated",
                        "GenerationPromoted",
                        "ExpertRetired",
                        "DeadLetter",
                        "DeadLetterSettled");
    }

    @Test
    @Order(8)
    void theMergedDirectoryIsACheckpointLikeAnyOther() throws IOException {
        Path artifact;
        try (var generations = Files.list(data.resolve("store").resolve("generations"))) {
            artifact =
                    generations
                            .filter(path -> Files.isDirectory(path.resolve("tasks/spam_mail")))
                            .findFirst()
                            .orElseThrow();
        }
        String said =
                expect(
                        0,
                        "eval",
                        "--checkpoint",
                        artifact.toString(),
                        "--task",
                        TASKS.resolve("spam_mail").toString());
        assertThat(said).contains("spam_mail accuracy");
        assertThat(artifact.resolve("README.md")).content().contains("base_model_relation: merge");
    }

    @Test
    @Order(9)
    void theDoctorFindsEverythingGood() {
        assertThat(expect(0, "doctor")).doesNotContain("BAD");
    }

    @Test
    @Order(10)
    void aRestartCarriesOn() throws IOException {
        local.close();
        local = LocalTributary.start(data, LocalTributary.Ports.free(), 1, Terminal.standard());
        assertThat(status().at("/state/generation/number").asLong()).isEqualTo(3);
    }

    /// Pools of other families, from two checkpoints published to the verdict on their merge.
    @ParameterizedTest
    @EnumSource(TinyFamily.class)
    @Order(11)
    void expertsOfEveryFamilyAreMergedAndJudged(TinyFamily family) throws IOException {
        Path tiny = family.base(folder);
        String pool = family.name().toLowerCase(Locale.ROOT);
        expect(0, "pool", "create", pool, "--base", tiny.toString(), "--option", "max_steps=4");
        for (String name : List.of("first", "second")) {
            Path task = family.task(folder, name);
            Path expert = folder.resolve(pool + "-" + name + "-expert");
            expect(
                    0,
                    "finetune",
                    "--base",
                    tiny.toString(),
                    "--task",
                    task.toString(),
                    "--out",
                    expert.toString(),
                    "--epochs",
                    "2",
                    "--learning-rate",
                    "1e-3");
            publish(pool, expert, task);
        }
        judged(pool);
    }

    @Test
    @Order(12)
    void adaptersAreMergedAndJudged() throws IOException {
        Path tiny = TinyFamily.QWEN2.base(folder);
        expect(0, "pool", "create", "lora", "--base", tiny.toString(), "--option", "max_steps=4");
        for (String name : List.of("first", "second")) {
            Path task = TinyFamily.QWEN2.task(folder, name);
            publish("lora", TinyFamily.adapter(folder, name, name.hashCode()), task);
        }
        judged("lora");
    }

    @Test
    @Order(13)
    void generationsComeOutTheSameWhenTheyAreMadeAnew() {
        assertThat(expect(0, "replay")).contains("each the same to the byte");
        assertThat(expect(1, "replay", "nobody")).contains("has no generations");
    }

    @Test
    @Order(14)
    void whatNothingRefersToGoesToTheTrashAndThenAwayAndTheRestIsStillThere() throws IOException {
        assertThat(expect(0, "gc")).contains("what --delete does", "needed");
        String dry = expect(0, "gc", "--min-age", "0s", "--keep", "1", "-o", "json");
        List<String> unneeded = new ArrayList<>();
        for (JsonNode one : JSON.readTree(dry)) {
            assertThat(one.path("done").asBoolean()).isFalse();
            if (one.path("fate").asText().equals("to the trash")) {
                unneeded.add(one.path("path").asText());
            }
        }
        assertThat(unneeded).anyMatch(path -> path.startsWith("generations/"));
        assertThat(expect(0, "gc", "--keep", "1", "--explain", unneeded.getFirst()))
                .contains("is in the store; nothing refers to it");

        expect(0, "gc", "--min-age", "0s", "--keep", "1", "--delete");

        assertThat(expect(0, "gc", "--keep", "1", "--explain", unneeded.getFirst()))
                .contains("is in the trash; nothing refers to it");
        // Going back further, more of it is needed.
        assertThat(expect(0, "gc", "--keep", "2", "--delete")).contains("back from the trash gen");
        expect(0, "gc", "--min-age", "0s", "--keep", "1", "--delete");
        assertThat(expect(0, "gc", "--min-age", "0s", "--keep", "1", "--delete"))
                .contains("removed for good " + unneeded.getFirst());
        assertThat(expect(1, "gc", "--explain", unneeded.getFirst()))
                .contains("is not in the store");
        assertThat(expect(0, "replay", "--last", "1")).contains("each the same to the byte");
        expect(2, "gc", "--min-age", "soon");
    }

    private void publish(String pool, Path expert, Path task) {
        assertThat(
                        expect(
                                0,
                                "publish",
                                expert.toString(),
                                "--pool",
                                pool,
                                "--task",
                                task.toString(),
                                "--wait"))
                .contains("merged, members");
    }

    /// Waits for the verdict on the second generation.
    private void judged(String pool) throws IOException {
        Awaitility.await()
                .atMost(Duration.ofMinutes(3))
                .until(() -> status(pool).at("/evaluated/number").asLong() == 2);
        JsonNode evaluated = status(pool).path("evaluated");
        assertThat(evaluated.path("tasks")).hasSize(2);
        assertThat(evaluated.path("anp").asDouble()).isPositive();
        assertThat(evaluated.path("verdict").asText()).isIn("PASS", "REGRESSED", "INCONCLUSIVE");
    }

    private void expert(String task, String name) {
        expect(
                0,
                "finetune",
                "--base",
                base.toString(),
                "--task",
                TASKS.resolve(task).toString(),
                "--out",
                folder.resolve(name).toString(),
                "--epochs",
                "1",
                "--max-examples",
                "96");
    }

    private JsonNode status() throws IOException {
        return status("reviews");
    }

    private JsonNode status(String pool) throws IOException {
        return JSON.readTree(expect(0, "status", pool, "-o", "json")).get(0);
    }

    private static String field(String json, String name) {
        try {
            return JSON.readTree(json).path(name).asText();
        } catch (IOException e) {
            throw new AssertionError(json, e);
        }
    }

    /// Runs a command on this stack and returns what it printed.
    private String expect(int code, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        if (List.of(
                        "publish", "retire", "promote", "status", "watch", "doctor", "pool", "dlq",
                        "replay", "gc")
                .contains(arguments[0])) {
            all.addAll(List.of("--data", data.toString()));
        }
        PrintStream before = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int ended;
        try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            System.setOut(out);
            ended = Tributary.commandLine().execute(all.toArray(String[]::new));
        } finally {
            System.setOut(before);
        }
        String said = bytes.toString(StandardCharsets.UTF_8);
        assertThat(ended).as(String.join(" ", all) + "\n" + said).isEqualTo(code);
        return said;
    }
}
