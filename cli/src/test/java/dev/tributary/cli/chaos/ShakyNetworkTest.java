package dev.tributary.cli.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.stack.FreePorts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ShakyNetworkTest {
    private static final int SOON = 200;

    private final int port = FreePorts.one();
    private ServerSocket echo;
    private ShakyNetwork network;

    @BeforeEach
    void somebodyWhoAnswers() throws IOException {
        echo = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        network = ShakyNetwork.between(port, echo.getLocalPort());
        Thread.ofVirtual()
                .start(() -> {
                    while (!echo.isClosed()) {
                        try {
                            Socket socket = echo.accept();
                            Thread.ofVirtual().start(() -> answer(socket));
                        } catch (IOException _) {
                            return;
                        }
                    }
                });
    }

    private static void answer(Socket socket) {
        try (socket) {
            socket.getInputStream().transferTo(socket.getOutputStream());
        } catch (IOException _) {
            // cut off
        }
    }

    @AfterEach
    void end() throws IOException {
        network.close();
        echo.close();
    }

    @Test
    void whatIsSaidComesThroughAndWhatIsHeldUpComesLater() throws IOException {
        try (Socket socket = connect()) {
            assertThat(asked(socket, 1)).isEqualTo(1);
            network.hold();
            assertThatThrownBy(() -> asked(socket, 2)).isInstanceOf(SocketTimeoutException.class);
            network.release();
            assertThat(socket.getInputStream().read()).isEqualTo(2);
        }
    }

    @Test
    void someConnectionsAreCutOffAndOthersAreNot() throws IOException {
        List<Socket> sockets = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            sockets.add(connect());
            assertThat(asked(sockets.getLast(), 1)).isEqualTo(1);
        }
        int cut = network.cut(new Random(1));
        assertThat(cut).isBetween(8, 32);
        int ended = 0;
        for (Socket socket : sockets) {
            try {
                for (int i = 0; i < 5_000 && asked(socket, 1) == 1; i++) {}
                ended += asked(socket, 1) < 0 ? 1 : 0;
            } catch (IOException _) {
                ended++;
            }
            socket.close();
        }
        assertThat(ended).isEqualTo(cut);
    }

    @Test
    void withoutABrokerConnectionsEnd() throws IOException {
        echo.close();
        try (Socket socket = connect()) {
            socket.setSoTimeout(5_000);
            assertThat(socket.getInputStream().read()).isNegative();
        }
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(SOON);
        return socket;
    }

    private static int asked(Socket socket, int what) throws IOException {
        socket.getOutputStream().write(what);
        return socket.getInputStream().read();
    }
}
