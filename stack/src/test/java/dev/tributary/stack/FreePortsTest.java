package dev.tributary.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FreePortsTest {

    @Test
    void portsAreDifferentAndCanBeListenedOn() throws Exception {
        List<Integer> ports = FreePorts.several(5);

        assertThat(ports).hasSize(5).doesNotHaveDuplicates();
        for (int port : ports) {
            try (ServerSocket socket =
                    new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                assertThat(socket.isBound()).isTrue();
            }
        }
    }

    @Test
    void outgoingConnectionsNeverGetOneOfThem() {
        assertThat(FreePorts.several(50)).allMatch(port -> port < 32_768);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 65_536})
    void aNumberThatIsNoPortIsRefused(int port) {
        assertThatThrownBy(() -> FreePorts.requireFree(port, "broker"))
                .isInstanceOf(StackException.class)
                .hasMessageStartingWith("[broker] port %d cannot be used".formatted(port));
    }
}
