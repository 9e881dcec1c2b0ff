package dev.tributary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.cli.demo.BaseModel;
import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImportOnnxCommandTest {
    private final StringWriter err = new StringWriter();

    @TempDir Path folder;

    @Test
    void theBundledEncoderIsTheBaseOfTheDemo() throws IOException {
        Path onnx = copy("/all-minilm-l6-v2.onnx");
        Path tokenizer = copy("/all-minilm-l6-v2-tokenizer.json");
        Path out = folder.resolve("base");

        assertThat(run(onnx, tokenizer, out)).isZero();

        Path expected = new BaseModel(folder.resolve("models")).directory();
        assertThat(Digest.ofDirectory(out)).isEqualTo(Digest.ofDirectory(expected));
        assertThat(folder.resolve("base.partial")).doesNotExist();
    }

    @Test
    void whatIsWrongIsSaidAtOnceAndNothingIsWritten() throws IOException {
        Path out = Files.createDirectory(folder.resolve("there"));

        assertThat(run(folder.resolve("none.onnx"), folder.resolve("none.json"), out))
                .isEqualTo(Tributary.REFUSED);

        assertThat(err.toString())
                .contains("none.onnx] is no file", "none.json] is no file", "exists already");
        assertThat(out).isEmptyDirectory();
    }

    @Test
    void aFileThatIsNoModelLeavesNothing() throws IOException {
        Path onnx = Files.writeString(folder.resolve("text.onnx"), "no model");
        Path tokenizer = Files.writeString(folder.resolve("tokenizer.json"), "{}");
        Path out = folder.resolve("base");

        assertThat(run(onnx, tokenizer, out)).isNotZero();

        assertThat(out).doesNotExist();
        assertThat(folder.resolve("base.partial")).doesNotExist();
    }

    private int run(Path onnx, Path tokenizer, Path out) {
        return Tributary.commandLine()
                .setErr(new PrintWriter(err, true))
                .execute(
                        "import-onnx",
                        "--onnx",
                        onnx.toString(),
                        "--tokenizer",
                        tokenizer.toString(),
                        "--out",
                        out.toString());
    }

    private Path copy(String resource) throws IOException {
        Path file = folder.resolve(resource.substring(1));
        try (InputStream stream =
                Objects.requireNonNull(BaseModel.class.getResourceAsStream(resource))) {
            Files.copy(stream, file);
        }
        return file;
    }
}
