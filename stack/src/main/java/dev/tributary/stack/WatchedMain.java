package dev.tributary.stack;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.time.Duration;
import java.util.Arrays;

/// Runs another main class and ends the JVM as soon as standard input ends. The parent holds the
/// other end of that pipe, so the child never outlives it, however the parent died.
///
/// Runs in the child only.
final class WatchedMain {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int ORPHANED = 143; // as if ended by SIGTERM

    private WatchedMain() {}

    public static void main(String[] arguments) throws Throwable {
        ignoreInterrupts();
        Thread.ofPlatform().daemon().name("parent-watch").start(WatchedMain::watch);
        Class<?> mainClass = Class.forName(arguments[0]);
        String[] rest = Arrays.copyOfRange(arguments, 1, arguments.length);
        try {
            mainClass.getMethod("main", String[].class).invoke(null, (Object) rest);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /// Ctrl-C reaches every process of a terminal; which part of the stack ends when is the
    /// parent's to decide. By reflection, because the compiler warns of every mention of the class.
    private static void ignoreInterrupts() throws ReflectiveOperationException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handler = Class.forName("sun.misc.SignalHandler");
        Object interrupt = signal.getConstructor(String.class).newInstance("INT");
        Object _ =
                signal.getMethod("handle", signal, handler)
                        .invoke(null, interrupt, handler.getField("SIG_IGN").get(null));
    }

    private static void watch() {
        awaitEnd(System.in);
        Thread.ofPlatform().daemon().name("last-resort").start(WatchedMain::haltLater);
        Runtime.getRuntime().exit(ORPHANED);
    }

    private static void awaitEnd(InputStream pipe) {
        try {
            while (pipe.read() >= 0) {
                // nothing is ever written; only the end counts
            }
        } catch (IOException _) {
            // a broken pipe is an end, too
        }
    }

    private static void haltLater() {
        try {
            Thread.sleep(PATIENCE);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(ORPHANED);
    }
}
