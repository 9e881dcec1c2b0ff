package dev.tributary.k8s;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// Validates what `kubectl kustomize` renders against the schemas the npm packages
/// `kubernetes-models` and `@kubernetes-models/keda` carry. Skipped, visibly, without kubectl or
/// npm.
class PublishedSchemasTest {
    private static final Path WORK = Path.of("target", "schemas");

    @Test
    void theRenderedBaseIsValid() throws IOException, InterruptedException {
        Files.createDirectories(WORK);
        Path rendered = Manifests.rendered().orElseGet(() -> abort("no kubectl on the PATH"));
        int installed =
                run(
                        "npm",
                        "install",
                        "--silent",
                        "--no-save",
                        "--no-package-lock",
                        "kubernetes-models@5.1.0",
                        "@kubernetes-models/keda@2.0.0",
                        "js-yaml@4.3.2");
        assumeTrue(installed == 0, "npm is missing or cannot install the schema packages");
        Files.copy(
                Path.of("src", "test", "js", "validate.mjs"),
                WORK.resolve("validate.mjs"),
                StandardCopyOption.REPLACE_EXISTING);
        int verdict = run("node", "validate.mjs", rendered.toAbsolutePath().toString());
        assertThat(verdict).as(Files.readString(WORK.resolve("node.log"))).isZero();
    }

    private static int run(String... command) throws InterruptedException {
        try {
            Process process =
                    new ProcessBuilder(command)
                            .directory(WORK.toFile())
                            .redirectErrorStream(true)
                            .redirectOutput(WORK.resolve(command[0] + ".log").toFile())
                            .start();
            return process.waitFor(5, TimeUnit.MINUTES) ? process.exitValue() : -1;
        } catch (IOException missing) {
            return -1;
        }
    }
}
