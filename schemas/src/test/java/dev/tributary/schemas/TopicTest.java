package dev.tributary.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TopicTest {

    @Test
    void everyKindOfEventHasExactlyOneTopic() {
        List<Class<? extends SpecificRecord>> carried =
                Arrays.stream(Topic.values()).flatMap(it -> it.recordTypes().stream()).toList();
        List<Class<?>> known = new ArrayList<>();
        EventSamples.ofPool(1, 1).forEach(event -> known.add(event.getClass()));

        assertThat(carried).doesNotHaveDuplicates();
        assertThat(new ArrayList<Class<?>>(carried)).containsExactlyInAnyOrderElementsOf(known);
    }

    @Test
    void topicsWithSeveralRecordsHaveTheirUnionAsSchema() {
        assertThat(Topic.POOL_EVENTS.schema().registered().getTypes())
                .extracting(Schema::getName)
                .containsExactly("PoolConfigured", "CheckpointPublished", "ExpertRetired");
        assertThat(Topic.PROMOTIONS.schema().registered().getName())
                .isEqualTo("GenerationPromoted");
    }

    @Test
    void everyTopicAWorkerReadsHasADeadLetterQueueWithAsManyPartitions() {
        List<Topic> read =
                List.of(
                        Topic.POOL_EVENTS,
                        Topic.GENERATIONS,
                        Topic.EVALUATION_REQUESTS,
                        Topic.TASK_EVALUATIONS,
                        Topic.PROMOTIONS);

        assertThat(read)
                .allSatisfy(topic ->
                        assertThat(topic.deadLetterQueue())
                                .hasValueSatisfying(queue ->
                                        assertThat(queue.partitions())
                                                .isEqualTo(topic.partitions())));
        assertThat(Topic.ALERTS.deadLetterQueue()).isEmpty();
    }

    @Test
    void aDeadLetterQueueHasNoSchema() {
        assertThatThrownBy(Topic.POOL_EVENTS_DLQ::schema)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("tributary.pool-events.dlq");
    }

    @Test
    void aTopicIsFoundByItsName() {
        assertThat(Topic.named("tributary.generations")).contains(Topic.GENERATIONS);
        assertThat(Topic.named("generations")).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("dev.tributary.schemas.Topic#ofEvents")
    void everyRecordAndFieldSaysWhatItIs(Topic topic) {
        assertDocumented(topic.schema().registered());
    }

    @ParameterizedTest
    @MethodSource("dev.tributary.schemas.Topic#ofEvents")
    void theRegisteredSchemaIsFreeOfHintsToJava(Topic topic) {
        assertThat(topic.schema().registered().toString()).doesNotContain("avro.java");
        assertThat(topic.schema().generated().toString()).contains("avro.java.string");
    }

    private static void assertDocumented(Schema schema) {
        switch (schema.getType()) {
            case UNION -> schema.getTypes().forEach(TopicTest::assertDocumented);
            case ARRAY -> assertDocumented(schema.getElementType());
            case MAP -> assertDocumented(schema.getValueType());
            case ENUM -> {
                assertThat(schema.getDoc()).as(schema.getName()).contains("History: 1 ");
                assertThat(schema.getEnumDefault()).as(schema.getName()).isNotNull();
            }
            case RECORD -> {
                assertThat(schema.getDoc()).as(schema.getName()).contains("History: 1 ");
                for (Schema.Field field : schema.getFields()) {
                    assertThat(field.doc()).as(schema.getName() + "." + field.name()).endsWith(".");
                    assertDocumented(field.schema());
                }
            }
            case STRING, BYTES, INT, LONG, FLOAT, DOUBLE, BOOLEAN, NULL, FIXED -> {}
        }
    }
}
