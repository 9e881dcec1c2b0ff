package dev.tributary.merging;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// The three BERT experts of the golden files as a pool: with a tokenizer of made-up words and a
/// staged task for each.
final class TinyPool {
    static final List<String> TASKS = List.of("spam", "hedges", "nouns");
    static final Map<String, Integer> LABELS = Map.of("spam", 3, "hedges", 2, "nouns", 4);

    private static final int VOCABULARY = 120;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;

    TinyPool(Path folder) {
        this.folder = folder;
        copy("base");
        for (int t = 0; t < TASKS.size(); t++) {
            copy("expert" + t);
            stage(TASKS.get(t), t);
        }
        write(folder.resolve("base/tokenizer.json"), tokenizer());
        write(folder.resolve("base/tokenizer_config.json"), "{}\n");
    }

    Path base() {
        return folder.resolve("base");
    }

    Path expert(String task) {
        return folder.resolve("expert" + TASKS.indexOf(task));
    }

    Path taskFolder(String task) {
        return folder.resolve("tasks").resolve(task);
    }

    MergeRequest request(MergeMethod method, Path target, String... tasks) {
        List<MergeRequest.RequestedMember> members = new ArrayList<>();
        for (String task : tasks) {
            members.add(
                    new MergeRequest.RequestedMember(
                            task,
                            expert(task),
                            Digest.ofDirectory(expert(task)),
                            taskFolder(task)));
        }
        try {
            Files.createDirectories(target);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new MergeRequest(
                base(),
                Digest.ofDirectory(base()),
                members,
                method,
                null,
                null,
                Provenance.ofPool("mail", 4, "tiny-bert", null, Map.of("spam", "event-1")),
                folder.resolve("cache"),
                target);
    }

    static void write(Path file, String text) {
        try {
            Files.createDirectories(file.resolveSibling(""));
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void copy(String name) {
        Path from = Golden.path("divmerge_bert/" + name);
        Path to = folder.resolve(name);
        try {
            Files.createDirectories(to);
            for (String file : List.of("config.json", "model.safetensors")) {
                Files.copy(from.resolve(file), to.resolve(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void stage(String task, int seed) {
        StringBuilder labels = new StringBuilder();
        for (int label = 0; label < labelCount(task); label++) {
            labels.append("- LABEL_").append(label).append('\n');
        }
        Path target = taskFolder(task);
        write(
                target.resolve("task.yaml"),
                """
                name: %s
                kind: classification
                metric: accuracy
                max_tokens: 16
                labels:
                %scalibration: calibration.jsonl
                validation: validation.jsonl
                """
                        .formatted(task, labels));
        Random random = new Random(seed);
        StringBuilder calibration = new StringBuilder();
        StringBuilder validation = new StringBuilder();
        for (int i = 0; i < 12; i++) {
            calibration.append("{\"text\": \"").append(words(random)).append("\"}\n");
            validation
                    .append("{\"text\": \"")
                    .append(words(random))
                    .append("\", \"label\": \"LABEL_0\"}\n");
        }
        write(target.resolve("calibration.jsonl"), calibration.toString());
        write(target.resolve("validation.jsonl"), validation.toString());
    }

    private static int labelCount(String task) {
        return LABELS.getOrDefault(task, 0);
    }

    private static String words(Random random) {
        StringBuilder words = new StringBuilder();
        for (int i = 0; i < 3 + random.nextInt(9); i++) {
            words.append(i == 0 ? "" : " ").append('w').append(3 + random.nextInt(100));
        }
        return words.toString();
    }

    private static String tokenizer() {
        try {
            ObjectNode root =
                    (ObjectNode)
                            JSON.readTree(
                                    """
                                    {"version": "1.0", "truncation": null, "padding": null,
                                     "added_tokens": [], "normalizer": null,
                                     "pre_tokenizer": {"type": "WhitespaceSplit"},
                                     "post_processor": {"type": "TemplateProcessing",
                                       "single": [
                                         {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                                         {"Sequence": {"id": "A", "type_id": 0}}],
                                       "pair": [
                                         {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                                         {"Sequence": {"id": "A", "type_id": 0}},
                                         {"Sequence": {"id": "B", "type_id": 1}}],
                                       "special_tokens": {"[CLS]": {
                                         "id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}},
                                     "decoder": null}
                                    """);
            ObjectNode model = root.putObject("model");
            model.put("type", "WordLevel").put("unk_token", "[UNK]");
            ObjectNode vocabulary = model.putObject("vocab");
            vocabulary.put("[PAD]", 0).put("[UNK]", 1).put("[CLS]", 2);
            for (int id = 3; id < VOCABULARY; id++) {
                vocabulary.put("w" + id, id);
            }
            return JSON.writeValueAsString(root);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
