package dev.tributary.benchmarks;

import java.lang.management.ManagementFactory;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/// Runs the kernels with vector instructions and without, and prints what an element takes in each,
/// and beside a copy of as many bytes. Arguments are JMH's.
public final class KernelTable {
    private static final String VECTORS = "--add-modules=jdk.incubator.vector";
    private static final String COPY = "copy";

    private KernelTable() {}

    /// Prints the table.
    public static void main(String[] arguments) throws CommandLineOptionException, RunnerException {
        List<String> flags = ManagementFactory.getRuntimeMXBean().getInputArguments();
        Map<String, Double> vector = nanoseconds(arguments, flags);
        Map<String, Double> scalar =
                nanoseconds(
                        arguments, flags.stream().filter(flag -> !flag.equals(VECTORS)).toList());
        System.out.println(
                "| kernel | ns an element | scalar | scalar to vector | vector to copy |");
        System.out.println("|---|---|---|---|---|");
        vector.forEach((kernel, time) -> {
            String dtype = kernel.substring(kernel.indexOf(' '));
            double copy = vector.getOrDefault(COPY + dtype, Double.NaN);
            double slow = scalar.getOrDefault(kernel, Double.NaN);
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %.3f | %.3f | %.1f | %.1f |%n",
                    kernel,
                    time,
                    slow,
                    slow / time,
                    time / copy);
        });
    }

    /// By kernel and element type.
    private static Map<String, Double> nanoseconds(String[] arguments, List<String> flags)
            throws CommandLineOptionException, RunnerException {
        ChainedOptionsBuilder options =
                new OptionsBuilder()
                        .parent(new CommandLineOptions(arguments))
                        .jvmArgs(flags.toArray(String[]::new));
        Collection<RunResult> results = new Runner(options.build()).run();
        Map<String, Double> times = new TreeMap<>();
        for (RunResult result : results) {
            String name = result.getParams().getBenchmark();
            times.put(
                    "%s %s"
                            .formatted(
                                    name.substring(name.lastIndexOf('.') + 1),
                                    result.getParams().getParam("dtype")),
                    result.getPrimaryResult().getScore());
        }
        return times;
    }
}
