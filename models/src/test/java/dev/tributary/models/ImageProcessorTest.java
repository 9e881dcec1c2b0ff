package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Against what the image processors of `transformers` make of the same files with Pillow.
class ImageProcessorTest {
    private static final JsonNode REFERENCE = reference();

    @TempDir Path folder;

    private static JsonNode reference() {
        try (InputStream in = ImageProcessorTest.class.getResourceAsStream("/images.json")) {
            return new JsonMapper().readTree(Objects.requireNonNull(in));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static Stream<Arguments> cases() {
        return StreamSupport.stream(REFERENCE.path("cases").spliterator(), false)
                .map(one -> Arguments.of(one.path("name").asText(), one));
    }

    private static VisionConfig model(int size, int channels) {
        return new VisionConfig(
                VisionLayout.VIT,
                ImageHead.CLASS_TOKEN,
                "ViTForImageClassification",
                1,
                8,
                1,
                8,
                size,
                size,
                channels,
                1e-12,
                Activation.GELU,
                true,
                0,
                List.of("a", "b"));
    }

    private ImageProcessor processor(String config, VisionConfig model) throws IOException {
        Files.writeString(folder.resolve(ImageProcessor.FILE), config);
        return ImageProcessor.open(folder, model);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void numbersAreThoseOfTransformers(String name, JsonNode one) throws IOException {
        int size = one.path("size").asInt();
        int channels = one.path("channels").asInt();
        String uri = REFERENCE.path("images").path(one.path("image").asText()).asText();
        ImageProcessor processor = processor(one.path("config").toString(), model(size, channels));

        // One patch is the whole image, channel by channel.
        float[] actual = processor.images(List.of(uri)).patches(size);

        JsonNode expected = one.path("values");
        assertThat(actual).hasSize(expected.size());
        for (int i = 0; i < actual.length; i++) {
            assertThat(actual[i]).isCloseTo((float) expected.get(i).asDouble(), within(2e-6f));
        }
    }

    @Test
    void whatDoesNotFitTheModelIsRefusedWithEveryFault() {
        assertThatThrownBy(() ->
                        processor(
                                """
                                {"size": {"height": 9, "width": 8}, "image_mean": [0.5], "resample": 7}
                                """,
                                model(8, 3)))
                .isInstanceOfSatisfying(
                        RefusedException.class, e -> assertThat(e.faults()).hasSize(3))
                .hasMessageContaining("makes images of 8 x 9 pixels, expected the model's 8 x 8")
                .hasMessageContaining("image_mean has 1 numbers, expected one for each")
                .hasMessageContaining("resample is 7, expected 0 to 5");
        assertThatThrownBy(() -> ImageProcessor.open(folder.resolve("none"), model(8, 3)))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("save_pretrained");
    }

    @Test
    void everyExampleThatIsNoImageIsRefused() throws IOException {
        ImageProcessor processor = processor("{\"size\": 8}", model(8, 3));
        String whole = REFERENCE.path("images").path("rgb").asText();
        String cut = whole.substring(0, whole.length() / 2);
        List<Example> examples =
                Stream.of(cut, "a text", "data:image/png;base64,!")
                        .map(ImageProcessorTest::of)
                        .toList();
        assertThatThrownBy(() -> processor.read(examples, 8))
                .isInstanceOfSatisfying(
                        RefusedException.class, e -> assertThat(e.faults()).hasSize(3))
                .hasMessageContaining("[example 2] is no data URI of an image in base64");
    }

    @Test
    void batchesHaveTheImagesAskedForInTheirOrder() throws IOException {
        ImageProcessor processor = processor("{\"size\": 8}", model(8, 3));
        String rgb = REFERENCE.path("images").path("rgb").asText();
        String grey = REFERENCE.path("images").path("grey").asText();
        Inputs inputs = processor.read(List.of(of(rgb), of(grey), of(rgb)), 8);

        assertThat(inputs.size()).isEqualTo(3);
        assertThat(inputs.byLength(2)).containsExactly(new int[] {0, 1}, new int[] {2});
        float[] two = inputs.batch(1, 0).images().patches(8);
        float[] first = processor.images(List.of(grey)).patches(8);
        float[] second = processor.images(List.of(rgb)).patches(8);
        assertThat(java.util.Arrays.copyOf(two, first.length)).isEqualTo(first);
        assertThat(java.util.Arrays.copyOfRange(two, first.length, two.length)).isEqualTo(second);
    }

    private static Example of(String uri) {
        return new Example(uri, null, null);
    }
}
