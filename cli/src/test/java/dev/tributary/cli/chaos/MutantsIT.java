package dev.tributary.cli.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.cli.chaos.mutant.Mutant;
import java.io.IOException;
import java.lang.classfile.ClassHierarchyResolver;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

class MutantsIT {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "SOUND")
    void everyBugFitsTheWorkers(Mutant mutant) throws IOException {
        try (URLClassLoader workers = new URLClassLoader(jars(), null)) {
            String file = mutant.className().replace('.', '/') + ".class";
            byte[] sound =
                    Objects.requireNonNull(workers.getResourceAsStream(file), file).readAllBytes();

            assertThat(mutant.applyTo(sound, ClassHierarchyResolver.ofResourceParsing(workers)))
                    .isNotEqualTo(sound);
        }
    }

    private static URL[] jars() throws IOException {
        List<URL> jars = new ArrayList<>();
        for (String worker : List.of("merge-worker", "eval-worker")) {
            for (String folder : List.of("app", "lib/main")) {
                try (Stream<Path> files =
                        Files.list(ROOT.resolve(worker).resolve("target/quarkus-app/" + folder))) {
                    for (Path jar : files.toList()) {
                        jars.add(jar.toUri().toURL());
                    }
                }
            }
        }
        return jars.toArray(URL[]::new);
    }

    @Test
    void aBugThatIsPutIntoAWorkerIsFoundAndNoneIsFoundInASoundOne(@TempDir Path folder)
            throws IOException {
        Path summary = folder.resolve("summary.json");

        int code =
                new CommandLine(new ChaosCommand())
                        .execute(
                                "--mutant",
                                "KNOWS_NO_EVENT",
                                "--mutant",
                                "READS_OLD_STATES",
                                "--data",
                                folder.toString(),
                                "--summary",
                                summary.toString());

        JsonNode json = new ObjectMapper().readTree(summary.toFile());
        assertThat(json.path("trials").toString()).contains("is covered by generations");
        assertThat(json.path("sound").asBoolean()).isTrue();
        assertThat(json.path("caught").asInt()).isEqualTo(2);
        assertThat(code).isZero();
    }
}
