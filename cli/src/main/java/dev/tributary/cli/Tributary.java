package dev.tributary.cli;

import dev.tributary.cli.chaos.ChaosCommand;
import dev.tributary.cli.compare.CompareCommand;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.JvmFlags;
import dev.tributary.tensors.RefusedException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// The `tributary` command line: every verb, its help and what its exit code means.
@Command(
        name = "tributary",
        version = "tributary 0.1.0",
        mixinStandardHelpOptions = true,
        description = "Keeps one merged model up to date while fine-tuned experts keep arriving.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:the work failed",
            "2:wrong usage",
            "3:the input was refused; every fault is listed",
            "4:the broker, the registry or the local stack cannot be reached",
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary demo",
            "  tributary up --data ./.tributary",
            "  tributary merge recipe.yaml --out merged",
        })
public final class Tributary implements Callable<Integer> {
    static final int REFUSED = 3;
    static final int UNREACHABLE = 4;

    private static final SequencedMap<String, Class<?>> COMMANDS = new LinkedHashMap<>();

    static {
        COMMANDS.put("demo", DemoCommand.class);
        COMMANDS.put("up", UpCommand.class);
        COMMANDS.put("down", DownCommand.class);
        COMMANDS.put("doctor", DoctorCommand.class);
        COMMANDS.put("pool", PoolCommand.class);
        COMMANDS.put("publish", PublishCommand.class);
        COMMANDS.put("retire", RetireCommand.class);
        COMMANDS.put("promote", PromoteCommand.class);
        COMMANDS.put("status", StatusCommand.class);
        COMMANDS.put("watch", WatchCommand.class);
        COMMANDS.put("dlq", DlqCommand.class);
        COMMANDS.put("replay", ReplayCommand.class);
        COMMANDS.put("gc", GcCommand.class);
        COMMANDS.put("chaos", ChaosCommand.class);
        COMMANDS.put("merge", MergeCommand.class);
        COMMANDS.put("plan", PlanCommand.class);
        COMMANDS.put("eval", EvalCommand.class);
        COMMANDS.put("finetune", FinetuneCommand.class);
        COMMANDS.put("compare", CompareCommand.class);
        COMMANDS.put("forward", ForwardCommand.class);
        COMMANDS.put("import-onnx", ImportOnnxCommand.class);
        COMMANDS.put("help", CommandLine.HelpCommand.class);
    }

    @Spec @Nullable CommandSpec spec;

    /// Runs one command and ends the process with its exit code.
    public static void main(String... args) {
        Optional<String> complaint = JvmFlags.complaint();
        if (complaint.isPresent()) {
            System.err.println(complaint.get());
            System.exit(ExitCode.USAGE);
        }
        boolean named = args.length > 0 && !args[0].equals("help") && COMMANDS.containsKey(args[0]);
        int code = (named ? commandLine(Set.of(args[0])) : commandLine()).execute(args);
        System.out.flush();
        System.exit(code);
    }

    static CommandLine commandLine() {
        return commandLine(COMMANDS.keySet());
    }

    /// With these commands only: to look into all of them takes a second of its own.
    private static CommandLine commandLine(Set<String> names) {
        CommandLine line = new CommandLine(new Tributary());
        COMMANDS.forEach((name, command) -> {
            if (names.contains(name)) {
                line.addSubcommand(name, command);
            }
        });
        return line.setExecutionExceptionHandler(Tributary::explain)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true);
    }

    @Override
    public Integer call() {
        Objects.requireNonNull(spec).commandLine().usage(System.out);
        return ExitCode.OK;
    }

    private static int explain(
            Exception failure, CommandLine command, CommandLine.ParseResult parsed) {
        PrintWriter err = command.getErr();
        switch (failure) {
            case RefusedException refused -> {
                for (Fault fault : refused.faults()) {
                    err.println(
                            "refused %s [%s] %s"
                                    .formatted(fault.code(), fault.where(), fault.sentence()));
                }
                return REFUSED;
            }
            case UnreachableException unreachable -> {
                err.println(unreachable.getMessage());
                return UNREACHABLE;
            }
            case UncheckedIOException io -> err.println("failed: " + describe(io.getCause()));
            default -> err.println("failed: " + describe(failure));
        }
        if (System.getenv("TRIBUTARY_STACKTRACE") != null) {
            failure.printStackTrace(err);
        }
        return ExitCode.SOFTWARE;
    }

    private static String describe(@Nullable Throwable failure) {
        if (failure == null) {
            return "no reason given";
        }
        String name = failure.getClass().getSimpleName();
        return failure.getMessage() == null ? name : failure.getMessage() + " (" + name + ")";
    }
}
