package dev.tributary.models;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Turns images into the numbers a vision transformer reads, as the checkpoint's
/// `preprocessor_config.json` says and the image processors of `transformers` do: resized as Pillow
/// resizes, cropped at the centre, rescaled, normalised channel by channel.
public final class ImageProcessor implements InputReader {
    /// The file in a checkpoint's folder.
    public static final String FILE = "preprocessor_config.json";

    private static final int FAULTS_TOLD = 20;

    private final Path file;
    private final Steps steps;
    private final int tokens;

    /// What is done to an image.
    ///
    /// @param resize how, where it is resized
    /// @param edge length of the shorter side after that; 0 where both sides are given
    /// @param width after that, unless `edge` says it
    /// @param height after that, unless `edge` says it
    /// @param crop pixels along each side that are kept of the centre; 0 for all
    /// @param factor of every number; 1 to leave them
    /// @param channels how each is normalised
    private record Steps(
            Optional<Resampling> resize,
            int edge,
            int width,
            int height,
            int crop,
            double factor,
            List<Channel> channels) {}

    /// @param mean subtracted
    /// @param deviation divided by
    private record Channel(float mean, float deviation) {}

    private ImageProcessor(Path file, Steps steps, int tokens) {
        this.file = file;
        this.steps = steps;
        this.tokens = tokens;
    }

    /// Opens the processor of a checkpoint.
    ///
    /// @throws RefusedException with everything in its file that does not fit the model
    static ImageProcessor open(Path checkpointDirectory, VisionConfig config) {
        Path file = checkpointDirectory.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.CORRUPT_CHECKPOINT,
                            file.toString(),
                            "not there, expected what is done to images: save it beside the weights"
                                    + " with image_processor.save_pretrained"));
        }
        List<Fault> faults = new ArrayList<>();
        Steps steps = steps(CheckpointJson.read(file), config, file, faults);
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        return new ImageProcessor(file, steps, config.maxPositions());
    }

    private static Steps steps(JsonNode json, VisionConfig config, Path file, List<Fault> faults) {
        boolean clip =
                json.path("image_processor_type")
                        .asText(json.path("feature_extractor_type").asText(""))
                        .startsWith("CLIP");
        JsonNode size = json.path("size");
        int plain = size.isInt() ? size.asInt() : config.imageSize();
        boolean both = size.has("height") || size.has("width") || (size.isInt() && !clip);
        boolean byEdge = size.has("shortest_edge") || (clip && !both);
        int edge = byEdge ? size.path("shortest_edge").asInt(plain) : 0;
        boolean cropped = json.path("do_center_crop").asBoolean(clip);
        JsonNode cropSize = json.path("crop_size");
        int crop = cropSize.isInt() ? cropSize.asInt() : cropSize.path("height").asInt(plain);
        boolean resized = json.path("do_resize").asBoolean(true);
        int number = json.path("resample").asInt(clip ? 3 : 2);
        Optional<Resampling> resampling = Resampling.of(number);
        int width = size.path("width").asInt(plain);
        int height = size.path("height").asInt(plain);
        if (resampling.isEmpty()) {
            refuse(faults, file, "resample is %d, expected 0 to 5".formatted(number));
        }
        int result = config.imageSize();
        if (cropped
                ? crop != result
                : resized && !byEdge && (width != result || height != result)) {
            refuse(
                    faults,
                    file,
                    "makes images of %d x %d pixels, expected the model's %d x %d"
                            .formatted(
                                    cropped ? crop : width,
                                    cropped ? crop : height,
                                    result,
                                    result));
        }
        boolean rescaled = json.path("do_rescale").asBoolean(true);
        List<Channel> channels = channels(json, config, file, faults);
        return new Steps(
                resized ? resampling : Optional.empty(),
                edge,
                width,
                height,
                cropped ? crop : 0,
                rescaled ? json.path("rescale_factor").asDouble(1 / 255.0) : 1,
                channels);
    }

    private static List<Channel> channels(
            JsonNode json, VisionConfig config, Path file, List<Fault> faults) {
        List<Channel> channels = new ArrayList<>();
        if (!json.path("do_normalize").asBoolean(true)) {
            for (int i = 0; i < config.channels(); i++) {
                channels.add(new Channel(0, 1));
            }
            return channels;
        }
        for (String key : List.of("image_mean", "image_std")) {
            JsonNode given = json.path(key);
            if (given.isArray() && given.size() != config.channels()) {
                refuse(
                        faults,
                        file,
                        "%s has %d numbers, expected one for each of the model's %d channels"
                                .formatted(key, given.size(), config.channels()));
            }
        }
        for (int i = 0; i < config.channels(); i++) {
            channels.add(
                    new Channel(
                            number(json.path("image_mean"), i), number(json.path("image_std"), i)));
        }
        return channels;
    }

    private static float number(JsonNode given, int channel) {
        return (float) (given.isArray() ? given.path(channel) : given).asDouble(0.5);
    }

    private static void refuse(List<Fault> faults, Path file, String sentence) {
        faults.add(new Fault(FailureCode.CORRUPT_CHECKPOINT, file.toString(), sentence));
    }

    @Override
    public Digest digest() {
        return Digest.of(file);
    }

    /// Images are decoded anew for each batch: as numbers they are many times larger.
    @Override
    public Inputs read(List<Example> examples, int maxTokens) {
        List<Fault> faults = new ArrayList<>();
        for (int i = 0; i < examples.size() && faults.size() < FAULTS_TOLD; i++) {
            PixelImage.problem(examples.get(i).text()).ifPresent(fault(i, faults)::add);
        }
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        return new PreparedImages(this, examples.stream().map(Example::text).toList(), tokens);
    }

    /// Adds what is wrong with an example.
    private interface Problems {
        void add(String problem);
    }

    private static Problems fault(int example, List<Fault> faults) {
        return problem ->
                faults.add(
                        new Fault(
                                FailureCode.BAD_TASK,
                                "example %d".formatted(example + 1),
                                "%s, expected an image in one of %s"
                                        .formatted(problem, List.of(ImageData.Format.values()))));
    }

    /// The numbers of these images.
    ///
    /// @param uris data URIs
    Images images(List<String> uris) {
        float[] all = {};
        int height = 0;
        int width = 0;
        for (int i = 0; i < uris.size(); i++) {
            PixelImage image = prepared(PixelImage.decode(uris.get(i), steps.channels().size()));
            if (i == 0) {
                height = image.height();
                width = image.width();
                all = new float[uris.size() * image.samples().length];
            }
            if (image.height() != height || image.width() != width) {
                throw new IllegalArgumentException(
                        "[%s] images of several sizes come out, expected one: resize them"
                                .formatted(file));
            }
            numbers(image, all, i * image.samples().length);
        }
        return new Images(uris.size(), steps.channels().size(), height, width, all);
    }

    private PixelImage prepared(PixelImage image) {
        PixelImage resized = image;
        if (steps.resize().isPresent()) {
            int shorter = Math.min(image.width(), image.height());
            boolean byEdge = steps.edge() > 0;
            int width = byEdge ? scaled(image.width(), shorter) : steps.width();
            int height = byEdge ? scaled(image.height(), shorter) : steps.height();
            resized = steps.resize().get().resize(image, width, height);
        }
        return steps.crop() == 0 ? resized : resized.centre(steps.crop());
    }

    private int scaled(int side, int shorter) {
        return (int) ((long) steps.edge() * side / shorter);
    }

    private void numbers(PixelImage image, float[] target, int from) {
        int pixels = image.width() * image.height();
        for (int channel = 0; channel < image.channels(); channel++) {
            float mean = steps.channels().get(channel).mean();
            float deviation = steps.channels().get(channel).deviation();
            for (int pixel = 0; pixel < pixels; pixel++) {
                int sample = image.samples()[pixel * image.channels() + channel] & 0xff;
                float scaled = (float) (sample * steps.factor());
                target[from + channel * pixels + pixel] = (scaled - mean) / deviation;
            }
        }
    }

    @Override
    public void close() {
        // Nothing is held.
    }
}
