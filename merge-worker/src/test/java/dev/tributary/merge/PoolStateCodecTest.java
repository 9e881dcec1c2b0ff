package dev.tributary.merge;

import static dev.tributary.merge.Samples.configuredPool;
import static dev.tributary.merge.Samples.generation;
import static dev.tributary.merge.Samples.publish;
import static dev.tributary.merge.Samples.retired;
import static dev.tributary.merge.Samples.wish;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PoolStateCodecTest {
    static Stream<PoolState> states() {
        PoolState configured = configuredPool("pool");
        PoolState published = publish(configured, "1", "mail", "mail v1");
        PoolState merged =
                publish(published, "2", "mail", "mail v2")
                        .with(generation(4, wish(published)))
                        .with(retired("pool", "mail", "mail v2"));
        return Stream.of(
                PoolState.unknown("pool"),
                configured,
                published,
                merged.answered(17),
                merged.with(retired("pool", "mail", null)),
                published.withFailed(wish(published).id()));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 12})
    void theStateOfAPoolThatHasSeenMuchIsASmallRecord(int tasks) throws IOException {
        PoolState state = configuredPool("pool");
        for (int version = 0; version < 9; version++) {
            for (int task = 0; task < tasks; task++) {
                String name = "task-with-some-name-%d".formatted(task);
                state =
                        publish(
                                state,
                                UUID.randomUUID().toString(),
                                name,
                                "%s v%d".formatted(name, version));
            }
        }
        state = state.with(generation(9, wish(state)));

        assertThat(PoolStateCodec.event(state).toByteBuffer().remaining()).isLessThan(16 * 1024);
    }

    @ParameterizedTest
    @MethodSource("states")
    void aStateThatIsWrittenDownIsReadBackAsItWas(PoolState state) {
        assertThat(PoolStateCodec.state(PoolStateCodec.event(state))).isEqualTo(state);
    }
}
