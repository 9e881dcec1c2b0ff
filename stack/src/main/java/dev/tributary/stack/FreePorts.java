package dev.tributary.stack;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/// Ports of the loopback interface that nothing listens on at the moment.
///
/// They lie below the range from which systems take the ports of outgoing connections: a client
/// that keeps calling a server which is down could otherwise be given the server's own port, and
/// the server could not come back.
public final class FreePorts {

    private static final int LOWEST = 15_000;
    private static final int HIGHEST = 32_000;
    private static final int ATTEMPTS = 1_000;

    private FreePorts() {}

    /// One free port.
    public static int one() {
        return several(1).getFirst();
    }

    /// This many free ports, all different.
    public static List<Integer> several(int count) {
        List<Integer> ports =
                ThreadLocalRandom.current()
                        .ints(ATTEMPTS, LOWEST, HIGHEST)
                        .distinct()
                        .filter(FreePorts::isFree)
                        .limit(count)
                        .boxed()
                        .toList();
        if (ports.size() < count) {
            throw new StackException(
                    "[ports] %d free ones between %d and %d, expected %d: end programs that listen there"
                            .formatted(ports.size(), LOWEST, HIGHEST, count),
                    null);
        }
        return ports;
    }

    private static boolean isFree(int port) {
        try {
            bind(port);
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    private static void bind(int port) throws IOException {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        }
    }

    /// Refuses a port that is in use.
    ///
    /// @param what whose port it is to be, for the message
    public static void requireFree(int port, String what) {
        try {
            bind(port);
        } catch (IOException | IllegalArgumentException e) {
            throw new StackException(
                    "[%s] port %d cannot be used (%s), expected a free one: stop the program that listens there, or choose another port"
                            .formatted(what, port, e.getMessage()),
                    e);
        }
    }
}
