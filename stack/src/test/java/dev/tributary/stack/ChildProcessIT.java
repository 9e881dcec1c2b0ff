package dev.tributary.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChildProcessIT {

    @TempDir Path folder;

    /// Writes its process id, then does nothing for ever.
    static final class Idle {
        private Idle() {}

        public static void main(String[] arguments) throws Exception {
            announce(Path.of(arguments[0]), ProcessHandle.current().pid());
            Thread.sleep(Duration.ofDays(1));
        }
    }

    /// Starts [Idle] as its own child, then does nothing for ever.
    static final class Parent {
        private Parent() {}

        public static void main(String[] arguments) throws Exception {
            ChildProcess.start(
                    idle(Path.of(arguments[0])), Path.of(arguments[0]).resolveSibling("idle.log"));
            Thread.sleep(Duration.ofDays(1));
        }
    }

    /// Says something and fails.
    static final class Failing {
        private Failing() {}

        public static void main(String[] arguments) {
            System.out.println("the disk is full of " + arguments[0]);
            System.exit(7);
        }
    }

    @Test
    void aChildDiesWithItsParentHoweverThatDied() throws Exception {
        Path announcement = folder.resolve("pid");
        JavaProgram parentProgram = program(Parent.class, announcement.toString());
        ChildProcess parent = ChildProcess.start(parentProgram, folder.resolve("parent.log"));
        parent.awaitReady(Duration.ofMinutes(1), () -> Files.exists(announcement));
        long pid = Long.parseLong(Files.readString(announcement));
        ProcessHandle child = ProcessHandle.of(pid).orElseThrow();

        parent.kill();

        child.onExit().get(30, TimeUnit.SECONDS);
        assertThat(child.isAlive()).isFalse();
    }

    @Test
    void aProgramThatIsNotReadyInTimeIsEnded() {
        ChildProcess child =
                ChildProcess.start(idle(folder.resolve("pid")), folder.resolve("idle.log"));

        assertThatThrownBy(() -> child.awaitReady(Duration.ofMillis(200), () -> false))
                .isInstanceOf(StackException.class)
                .hasMessageStartingWith("[Idle] the process was not ready within 0 s");
        assertThat(child.alive()).isFalse();
    }

    @Test
    void aProgramThatFailsIsReportedWithWhatItSaid() {
        JavaProgram failing = program(Failing.class, "feathers");
        try (ChildProcess child = ChildProcess.start(failing, folder.resolve("failing.log"))) {
            assertThatThrownBy(() -> child.awaitReady(Duration.ofMinutes(1), () -> false))
                    .isInstanceOf(StackException.class)
                    .hasMessageStartingWith(
                            "[Failing] the process ended with code 7 before it was ready")
                    .hasMessageEndingWith("the disk is full of feathers");
        }
    }

    @Test
    void stoppingLetsAProgramShutDownInOrder() {
        Path announcement = folder.resolve("pid");
        ChildProcess child = ChildProcess.start(idle(announcement), folder.resolve("idle.log"));
        child.awaitReady(Duration.ofMinutes(1), () -> Files.exists(announcement));

        child.stop();

        assertThat(child.exitCode()).isEqualTo(143);
    }

    /// Ctrl-C reaches every process of a terminal; the children wait for their parent's word.
    @Test
    void anInterruptFromTheTerminalIsLeftToTheParent() throws Exception {
        Path announcement = folder.resolve("pid");
        try (ChildProcess child =
                ChildProcess.start(idle(announcement), folder.resolve("idle.log"))) {
            child.awaitReady(Duration.ofMinutes(1), () -> Files.exists(announcement));

            String pid = Long.toString(child.pid());
            assertThat(new ProcessBuilder("kill", "-INT", pid).start().waitFor()).isZero();

            assertThat(child.exits(Duration.ofSeconds(1))).isFalse();
        }
    }

    private static JavaProgram idle(Path announcement) {
        return program(Idle.class, announcement.toString());
    }

    private static JavaProgram program(Class<?> mainClass, String argument) {
        return new JavaProgram(
                mainClass.getSimpleName(),
                List.of("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                List.of(System.getProperty("java.class.path")),
                mainClass.getName(),
                List.of(argument),
                Map.of());
    }

    private static void announce(Path file, long pid) throws IOException {
        Path aside = file.resolveSibling(file.getFileName() + ".tmp");
        Files.writeString(aside, Long.toString(pid));
        Files.move(aside, file);
    }
}
