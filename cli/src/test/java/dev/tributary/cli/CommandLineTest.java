package dev.tributary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/// Command names and options are a contract: scripts call them.
class CommandLineTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "demo     | --data --quick --summary --seed --tasks",
                "up       | --data --broker-port --registry-port",
                "down     | --data",
                "doctor   | --data --output",
                "publish  | --pool --task --wait --data --output",
                "retire   | --pool --task --checkpoint --reason --wait",
                "status   | --data --output",
                "watch    | --data --output --from-start --once",
                "merge    | --out --output",
                "plan     | --output",
                "eval     | --checkpoint --task --split --output",
                "finetune | --base --task --out --epochs --seed",
                "forward  | --checkpoint --inputs --out",
                "compare  | --base --task --method --sizes --full --out",
                "import-onnx | --onnx --tokenizer --out",
            })
    void aCommandHasItsOptions(String command, String options) {
        CommandLine.Model.CommandSpec spec =
                Objects.requireNonNull(Tributary.commandLine().getSubcommands().get(command))
                        .getCommandSpec();
        Set<String> names = new TreeSet<>();
        spec.options().forEach(option -> names.addAll(Set.of(option.names())));
        assertThat(names).contains(options.strip().split(" ")).contains("--help");
        assertThat(spec.usageMessage().footer()).as("examples").isNotEmpty();
    }

    @Test
    void aCommandIsKnownByItsOwnName() {
        Tributary.commandLine()
                .getSubcommands()
                .forEach((name, command) ->
                        assertThat(command.getCommandSpec().name()).isEqualTo(name));
    }

    @Test
    void everyOptionHasADescription() {
        for (CommandLine command : Tributary.commandLine().getSubcommands().values()) {
            for (var option : command.getCommandSpec().options()) {
                assertThat(option.description())
                        .as(command.getCommandName() + " " + option.longestName())
                        .isNotEmpty();
            }
        }
    }

    @Test
    void aRecipeThatCannotBeReadIsRefusedWithACode(@TempDir Path folder) throws IOException {
        Path recipe = Files.writeString(folder.resolve("recipe.yaml"), "merge_method: nonsense\n");
        Run run = run("plan", recipe.toString());
        assertThat(run.code()).isEqualTo(Tributary.REFUSED);
        assertThat(run.err()).contains("refused UNKNOWN_METHOD", "nonsense");
    }

    @Test
    void aMissingStackIsUnreachable(@TempDir Path folder) {
        Run run = run("status", "--data", folder.toString());
        assertThat(run.code()).isEqualTo(Tributary.UNREACHABLE);
        assertThat(run.err()).contains("tributary up");
    }

    @Test
    void anUnknownOptionIsWrongUsage() {
        assertThat(run("status", "--colour").code()).isEqualTo(2);
    }

    private record Run(int code, String err) {}

    private static Run run(String... arguments) {
        StringWriter err = new StringWriter();
        int code = Tributary.commandLine().setErr(new PrintWriter(err, true)).execute(arguments);
        return new Run(code, err.toString());
    }
}
