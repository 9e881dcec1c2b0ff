package dev.tributary.stack;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A Java program to be run in a process of its own, on the JDK that runs this one.
///
/// @param name what people call it; also the name of its log file
/// @param jvmOptions options of its JVM, beside those every program of the project has
/// @param classPath jars, folders, or `folder/*` for all jars of a folder
/// @param mainClass the class to start
/// @param arguments what its `main` gets
/// @param environment variables set in addition to those of this process
public record JavaProgram(
        String name,
        List<String> jvmOptions,
        List<String> classPath,
        String mainClass,
        List<String> arguments,
        Map<String, String> environment) {

    private static final List<String> OPTIONS_OF_ALL =
            List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow");

    public JavaProgram {
        jvmOptions = List.copyOf(jvmOptions);
        classPath = List.copyOf(classPath);
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
    }

    /// A packaged Quarkus application. What its jar's manifest would open when it is started with
    /// `-jar` is opened here, as it is started by its main class.
    ///
    /// @param folder the one with `quarkus-run.jar` in it
    public static JavaProgram quarkus(
            String name, Path folder, List<String> jvmOptions, Map<String, String> environment) {
        List<String> options = new ArrayList<>(jvmOptions);
        options.add("--add-opens=java.base/java.lang=ALL-UNNAMED");
        return new JavaProgram(
                name,
                options,
                List.of(folder.resolve("quarkus-run.jar").toString()),
                "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
                List.of(),
                environment);
    }

    /// The command line. The program runs under [WatchedMain], so that it ends when its parent
    /// does.
    List<String> command() {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String path =
                Stream.concat(classPath.stream(), Stream.of(StackHome.ownLocation().toString()))
                        .collect(Collectors.joining(File.pathSeparator));
        List<String> command = new ArrayList<>();
        command.add(java);
        command.addAll(OPTIONS_OF_ALL);
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", path, WatchedMain.class.getName(), mainClass));
        command.addAll(arguments);
        return command;
    }
}
