package dev.tributary.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class RetentionTest {

    @Test
    void historyIsNeverRemoved() {
        assertThat(new Retention.ForEver().settings())
                .containsEntry("cleanup.policy", "delete")
                .containsEntry("retention.ms", "-1")
                .containsEntry("retention.bytes", "-1");
    }

    @Test
    void aTableKeepsTheNewestRecordOfEveryKey() {
        assertThat(new Retention.Newest().settings()).containsEntry("cleanup.policy", "compact");
    }

    @Test
    void workIsRemovedWhenItIsStale() {
        assertThat(new Retention.Limited(Duration.ofDays(7)).settings())
                .containsEntry("retention.ms", "604800000");
    }

    @Test
    void aTimeTooShortToBeMeantIsRefused() {
        assertThatThrownBy(() -> new Retention.Limited(Duration.ofSeconds(59)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("was PT59S");
    }
}
