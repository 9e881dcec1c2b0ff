package dev.tributary.cli.chaos;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/// The way from the workers to the broker: all they say to each other goes through here, where it
/// can be held up, and where connections can be cut off, between messages and within.
final class ShakyNetwork implements AutoCloseable {
    private static final int CHUNK = 16 * 1024;
    private static final int NO_LIMIT = Integer.MAX_VALUE;

    /// A connection that is not cut off at once passes on so many bytes at most before it is.
    private static final int LAST_BYTES = 4096;

    private final ServerSocket door;
    private final int broker;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private final Object gate = new Object();
    private boolean held;

    private ShakyNetwork(ServerSocket door, int broker) {
        this.door = door;
        this.broker = broker;
    }

    /// A way to a broker that need not be there yet.
    ///
    /// @param port where workers connect
    /// @param broker the broker's own port
    static ShakyNetwork between(int port, int broker) {
        try {
            ServerSocket door = new ServerSocket();
            door.setReuseAddress(true);
            door.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            ShakyNetwork network = new ShakyNetwork(door, broker);
            Thread.ofVirtual().name("network").start(network::accept);
            return network;
        } catch (IOException e) {
            throw new UncheckedIOException("[network] port %d cannot be used".formatted(port), e);
        }
    }

    private void accept() {
        while (!door.isClosed()) {
            try {
                Link link = new Link(door.accept());
                links.add(link);
                Thread.ofVirtual().start(link::connect);
            } catch (IOException _) {
                // closed, or a client that has gone again
            }
        }
    }

    /// Cuts about half of the connections off, wherever they are.
    ///
    /// @return how many
    int cut(Random random) {
        int cut = 0;
        for (Link link : List.copyOf(links)) {
            if (random.nextBoolean()) {
                link.endAfter(random.nextBoolean() ? 0 : random.nextInt(LAST_BYTES));
                cut++;
            }
        }
        return cut;
    }

    /// From now on nothing comes through, in either direction; connections stay.
    void hold() {
        synchronized (gate) {
            held = true;
        }
    }

    /// What was held up goes on.
    void release() {
        synchronized (gate) {
            held = false;
            gate.notifyAll();
        }
    }

    private void pass() throws InterruptedException {
        synchronized (gate) {
            while (held) {
                gate.wait();
            }
        }
    }

    /// One connection of a client.
    private final class Link {
        private final Socket client;
        private final Socket server = new Socket();

        /// How many bytes may still go through, in both directions together.
        private final AtomicInteger left = new AtomicInteger(NO_LIMIT);

        Link(Socket client) {
            this.client = client;
        }

        void connect() {
            try {
                pass();
                server.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), broker));
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                Thread.ofVirtual().start(() -> pump(client, server));
                pump(server, client);
            } catch (IOException _) {
                end(); // no broker
            } catch (InterruptedException _) {
                end();
                Thread.currentThread().interrupt();
            }
        }

        private void pump(Socket from, Socket to) {
            byte[] chunk = new byte[CHUNK];
            try (InputStream in = from.getInputStream();
                    OutputStream out = to.getOutputStream()) {
                for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
                    pass();
                    int allowed = Math.min(read, left.get());
                    out.write(chunk, 0, allowed);
                    if (left.get() != NO_LIMIT && left.addAndGet(-allowed) <= 0) {
                        break;
                    }
                }
            } catch (IOException _) {
                // one of the two has gone
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            } finally {
                end();
            }
        }

        void endAfter(int bytes) {
            left.set(bytes);
            if (bytes == 0) {
                end();
            }
        }

        void end() {
            links.remove(this);
            for (Socket socket : List.of(client, server)) {
                try {
                    socket.close();
                } catch (IOException _) {
                    // closed is closed
                }
            }
        }
    }

    @Override
    public void close() {
        release();
        try {
            door.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        List.copyOf(links).forEach(Link::end);
    }
}
