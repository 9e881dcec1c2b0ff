package dev.tributary.cli;

import dev.tributary.cli.compare.CompareCommand;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.JvmFlags;
import dev.tributary.tensors.RefusedException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;

/// The `tributary` command line: every verb, its help and what its exit code means.
@Command(
        name = "tributary",
        version = "tributary 0.1.0",
        mixinStandardHelpOptions = true,
        description = "Keeps one merged model up to date while fine-tuned experts keep arriving.",
        subcommands = {
            DemoCommand.class,
            UpCommand.class,
            DownCommand.class,
            DoctorCommand.class,
            PoolCommand.class,
            PublishCommand.class,
            RetireCommand.class,
            PromoteCommand.class,
            StatusCommand.class,
            WatchCommand.class,
            MergeCommand.class,
            PlanCommand.class,
            EvalCommand.class,
            FinetuneCommand.class,
            CompareCommand.class,
            ForwardCommand.class,
            CommandLine.HelpCommand.class,
        },
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

    /// Runs one command and ends the process with its exit code.
    public static void main(String... args) {
        Optional<String> complaint = JvmFlags.complaint();
        if (complaint.isPresent()) {
            System.err.println(complaint.get());
            System.exit(ExitCode.USAGE);
        }
        int code = commandLine().execute(args);
        System.out.flush();
        System.exit(code);
    }

    static CommandLine commandLine() {
        return new CommandLine(new Tributary())
                .setExecutionExceptionHandler(Tributary::explain)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true);
    }

    @Override
    public Integer call() {
        CommandLine.usage(this, System.out);
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
