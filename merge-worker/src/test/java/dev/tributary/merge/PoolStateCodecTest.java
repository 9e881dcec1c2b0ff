package dev.tributary.merge;

import static dev.tributary.merge.Samples.configuredPool;
import static dev.tributary.merge.Samples.generation;
import static dev.tributary.merge.Samples.publish;
import static dev.tributary.merge.Samples.retired;
import static dev.tributary.merge.Samples.wish;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

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
    @MethodSource("states")
    void aStateThatIsWrittenDownIsReadBackAsItWas(PoolState state) {
        assertThat(PoolStateCodec.state(PoolStateCodec.event(state))).isEqualTo(state);
    }
}
