package dev.tributary.eval;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.eval.Dependencies.Need;
import org.junit.jupiter.api.Test;

class DependenciesTest {

    private final Dependencies dependencies = new Dependencies();

    @Test
    void nothingIsCompleteBeforeEverythingWasAsked() {
        dependencies.there(Need.BROKER, "");

        assertThat(dependencies.complete()).isFalse();
        assertThat(dependencies.fault(Need.STORE)).hasValue("not asked yet");
    }

    @Test
    void everythingThereIsComplete() {
        for (Need need : Need.values()) {
            dependencies.there(need, "");
        }

        assertThat(dependencies.complete()).isTrue();
        assertThat(dependencies.fault(Need.BROKER)).isEmpty();
    }

    @Test
    void whatWentAwayIsMissingUntilItIsBack() {
        for (Need need : Need.values()) {
            dependencies.there(need, "");
        }
        dependencies.missing(Need.REGISTRY, "", "it does not answer");

        assertThat(dependencies.complete()).isFalse();
        assertThat(dependencies.fault(Need.REGISTRY)).hasValue("it does not answer");
        dependencies.there(Need.REGISTRY, "");
        assertThat(dependencies.complete()).isTrue();
    }
}
