package dev.tributary.schemas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventHeadersTest {

    private static final String SOURCE = "/cli/host";
    private static final String CONTEXT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    @Test
    void anEventCarriesTheAttributesCloudEventsRequires() {
        Headers headers =
                EventHeaders.of(EventSamples.checkpointPublished(), SOURCE, EventSamples.TIME);

        assertThat(EventHeaders.text(headers, "ce_specversion")).contains("1.0");
        assertThat(EventHeaders.text(headers, "ce_id"))
                .contains("0d5f7d54-55f7-4b65-8a5e-3c0cb1f8a6c2");
        assertThat(EventHeaders.text(headers, "ce_source")).contains(SOURCE);
        assertThat(EventHeaders.text(headers, "ce_type"))
                .contains("dev.tributary.CheckpointPublished.v1");
        assertThat(EventHeaders.text(headers, "ce_time")).contains("2026-11-01T12:00:00.123Z");
        assertThat(EventHeaders.text(headers, "ce_subject")).contains(EventSamples.POOL);
        assertThat(EventHeaders.text(headers, "content-type")).contains("application/avro");
    }

    @Test
    void anEventWithoutAnIdOfItsOwnGetsOneThatFollowsFromItsContent() {
        Headers first = EventHeaders.of(EventSamples.taskEvaluated(), SOURCE, EventSamples.TIME);
        Headers again = EventHeaders.of(EventSamples.taskEvaluated(), SOURCE, EventSamples.TIME);
        Headers other =
                EventHeaders.of(EventSamples.evaluationRequested(), SOURCE, EventSamples.TIME);

        assertThat(EventHeaders.text(again, "ce_id"))
                .isPresent()
                .isEqualTo(EventHeaders.text(first, "ce_id"))
                .isNotEqualTo(EventHeaders.text(other, "ce_id"));
    }

    @Test
    void aFirstEventBeginsATrace() {
        Headers one = EventHeaders.of(EventSamples.configured(), SOURCE, EventSamples.TIME);
        Headers two = EventHeaders.of(EventSamples.configured(), SOURCE, EventSamples.TIME);

        assertThat(EventHeaders.traceparent(one))
                .isPresent()
                .isNotEqualTo(EventHeaders.traceparent(two));
    }

    @Test
    void whatFollowsFromAnEventBelongsToItsTrace() {
        Headers cause = new RecordHeaders();
        cause.add("traceparent", CONTEXT.getBytes(UTF_8));
        cause.add("tracestate", "vendor=1".getBytes(UTF_8));

        Headers headers =
                EventHeaders.following(
                        cause, EventSamples.taskEvaluated(), SOURCE, EventSamples.TIME);

        assertThat(EventHeaders.traceparent(headers)).contains(CONTEXT);
        assertThat(EventHeaders.text(headers, "tracestate")).contains("vendor=1");
        assertThat(headers.headers("traceparent")).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n"
            })
    void anInvalidTraceContextIsReplacedByANewOne(String context) {
        Headers cause = new RecordHeaders();
        cause.add("traceparent", context.getBytes(UTF_8));

        Headers headers =
                EventHeaders.following(
                        cause, EventSamples.taskEvaluated(), SOURCE, EventSamples.TIME);

        assertThat(EventHeaders.traceparent(headers))
                .isPresent()
                .isNotEqualTo(java.util.Optional.of(context));
    }
}
