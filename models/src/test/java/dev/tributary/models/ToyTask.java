package dev.tributary.models;

import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.TensorInfo;
import dev.tributary.tensors.TensorSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/// A base encoder of 32 random dimensions and a task it can learn: does a sentence praise or not?
final class ToyTask {
    private static final List<String> THINGS =
            List.of("film", "book", "meal", "room", "staff", "service", "food", "story", "music");
    private static final List<String> PRAISE =
            List.of("good", "great", "lovely", "fine", "superb", "warm", "kind", "fresh");
    private static final List<String> BLAME =
            List.of("bad", "awful", "dull", "cold", "rude", "stale", "poor", "grim");
    private static final List<String> DEGREES = List.of("", "very ", "really ", "quite ", "so ");

    private ToyTask() {}

    static TaskDefinition write(Path folder) {
        try {
            Files.createDirectories(folder);
            Files.writeString(
                    folder.resolve("task.yaml"),
                    """
                    name: praise
                    labels: [blame, praise]
                    max_tokens: 16
                    train: train.jsonl
                    validation: validation.jsonl
                    """);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List<String> labels = List.of("blame", "praise");
        new ExampleFile(folder.resolve("train.jsonl"), labels, false).write(examples(256, 1));
        new ExampleFile(folder.resolve("validation.jsonl"), labels, false).write(examples(64, 2));
        return TaskDefinition.read(folder);
    }

    static List<Example> examples(int count, long seed) {
        Random random = new Random(seed);
        return IntStream.range(0, count)
                .mapToObj(i -> {
                    boolean praises = i % 2 == 0;
                    String text =
                            "the %s was %s%s"
                                    .formatted(
                                            one(THINGS, random),
                                            one(DEGREES, random),
                                            one(praises ? PRAISE : BLAME, random));
                    return new Example(text, null, praises ? "praise" : "blame");
                })
                .toList();
    }

    private static String one(List<String> words, Random random) {
        return words.get(random.nextInt(words.size()));
    }

    /// The encoder of a fixture with a tokenizer, and without its pooler if so wanted.
    static Path writeBase(Path folder, boolean withPooler) {
        Path source = Fixture.named("bert_embed").folder();
        Path tokenizer = Fixture.named("tiny_tokenizer").folder();
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            Files.createDirectories(folder);
            Files.copy(source.resolve("config.json"), folder.resolve("config.json"));
            Files.copy(tokenizer.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
            List<TensorSpec> specs =
                    checkpoint.tensors().values().stream()
                            .map(TensorInfo::spec)
                            .filter(spec -> withPooler || !spec.name().startsWith("pooler."))
                            .toList();
            try (CheckpointWriter writer =
                    CheckpointWriter.create(
                            folder.resolve("model.safetensors"), specs, CheckpointWriter.PYTORCH)) {
                for (String name : writer.tensors().keySet()) {
                    writer.write(name, checkpoint.data(name));
                }
                writer.finish();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return folder;
    }
}
